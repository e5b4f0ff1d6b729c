#pragma once

#include "cluster/moderation/source.hpp"
#include "cluster/room_settings.hpp"
#include "net/auth/access_rules.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace canang::net {
class hook_source;
} // namespace canang::net

namespace canang::actors {

/// Tells the authorizer of a loop what the settings of rooms say. Owned by the loop's home, on its loop.
class room_access final : public net::access_settings {
public:
  /// @param source and `acts` outlive it.
  /// @param hooks outlives it; null: there are none.
  explicit room_access(const cluster::room_settings_source& source,
                       const cluster::moderation_source& acts,
                       const net::hook_source* hooks = nullptr);

  [[nodiscard]] net::access_rules of(std::string_view room) override;

  /// What was decided by the settings is looked at again where somebody may have been muted, too.
  [[nodiscard]] std::uint64_t generation() const noexcept override {
    return settings_.generation() + acts_.generation();
  }

private:
  kept_value<cluster::room_settings_table> settings_;
  const cluster::moderation_source& acts_;
  const bool asks_subscribe_;
  const bool asks_publish_;
};

} // namespace canang::actors
