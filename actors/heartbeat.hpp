#pragma once

#include "actors/liveness.hpp"
#include "actors/runtime/pinned.hpp"

namespace canang::actors {

/// Supervises the liveness of one loop's connections: at each tick pings those that were silent, and
/// ends those that did not answer. Pinned, one a loop; vital to the node.
class heartbeat final : public pinned {
public:
  /// `beats` must outlive the heartbeat.
  heartbeat(caf::actor_config& config, liveness& beats);

  const char* name() const override { return "heartbeat"; }

private:
  caf::behavior make_behavior() override;

  liveness& beats_;
};

} // namespace canang::actors
