#pragma once

#include <caf/actor.hpp>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace canang::actors {

/// The standing actors of one loop.
struct loop_cast {
  caf::actor hub;
  caf::actor heartbeat;
  caf::actor directory;
};

/// The standing actors of the node, by loop. Complete before the first connection is accepted and
/// unchanged after.
using node_cast = std::vector<loop_cast>;

/// The loop on which a room lives.
[[nodiscard]] inline std::uint32_t home_of(std::string_view room, std::size_t loops) noexcept {
  return static_cast<std::uint32_t>(std::hash<std::string_view>{}(room) % loops);
}

} // namespace canang::actors
