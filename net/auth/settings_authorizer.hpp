#pragma once

#include "net/auth/access_rules.hpp"
#include "net/auth/authorizer.hpp"

namespace canang::net {

/// Decides by what the operator says of the room, at once. Nobody's token is asked: `token` is refused, and
/// `users` are those whose identity is proved, by whoever proves it.
class settings_authorizer final : public authorizer {
public:
  /// @param settings outlives it.
  explicit settings_authorizer(access_settings& settings) : settings_(settings) {}

  void decide(const room_question& question, handler decided) override;

  [[nodiscard]] std::uint64_t generation() const noexcept override {
    return settings_.generation();
  }

private:
  access_settings& settings_;
};

} // namespace canang::net
