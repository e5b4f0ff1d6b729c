#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace canang::actors {

enum class node_phase : std::uint8_t {
  starting,
  ready,
  draining, ///< the grace: unready, but serving as before
  closing,  ///< takes no one any more, and closes who is there
  stopped
};

[[nodiscard]] constexpr std::string_view to_string(node_phase phase) noexcept {
  switch (phase) {
  case node_phase::starting: return "starting";
  case node_phase::ready: return "ready";
  case node_phase::draining:
  case node_phase::closing: return "draining";
  case node_phase::stopped: break;
  }
  return "stopped";
}

/// Where the node is in its life. Written by the node actor, read by probes and loops.
using node_status = std::atomic<node_phase>;

} // namespace canang::actors
