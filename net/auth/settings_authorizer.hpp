#pragma once

#include "net/auth/access_rules.hpp"
#include "net/auth/authorizer.hpp"
#include "net/auth/room_names.hpp"

namespace canang::net {

/// Decides at once: by what the operator says of the room, by the room's name, and by what the client's token allows
/// it. In this order: `nobody` is nobody; who is allowed it by its token may; rooms whose names say whose they are, are
/// theirs alone, and so are those that need a token; then the room's settings count, or the operator's program is to be
/// asked. About publishes it is asked whoever may: they pass its eyes. Believes no token: see `token_authorizer`.
class settings_authorizer final : public authorizer {
public:
  /// @param settings and `names` outlive it.
  settings_authorizer(access_settings& settings, const room_name_rules& names)
    : settings_(settings), names_(names) {}

  void identify(credentials&& shown, identity_handler decided) override;
  void decide(const room_question& question, handler decided) override;
  void check_pass(const pass_question& question, pass_handler decided) override;

  /// Whether clients may subscribe at all, with whatever token.
  [[nodiscard]] bool is_for_clients(std::string_view room) const {
    return settings_.of(room).subscribe != who_may::nobody;
  }

  [[nodiscard]] std::uint64_t generation() const noexcept override {
    return settings_.generation();
  }

private:
  [[nodiscard]] verdict verdict_on(const room_question& question) const;

  access_settings& settings_;
  const room_name_rules& names_;
};

} // namespace canang::net
