#pragma once

#include "cluster/room_settings.hpp"
#include "net/auth/access_rules.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace canang::actors {

/// Tells the authorizer of a loop what the settings of rooms say. Owned by the loop's home, on its loop.
class room_access final : public net::access_settings {
public:
  /// @param source outlives it.
  explicit room_access(const cluster::room_settings_source& source) : source_(source) {}

  [[nodiscard]] net::access_rules of(std::string_view room) override;

  [[nodiscard]] std::uint64_t generation() const noexcept override { return source_.generation(); }

private:
  const cluster::room_settings_source& source_;
  std::shared_ptr<const cluster::room_settings_table> table_; // of `seen_`, or newer
  std::uint64_t seen_ = 0;
};

} // namespace canang::actors
