#include "actors/heartbeat.hpp"

#include "actors/interfaces.hpp"

namespace canang::actors {

heartbeat::heartbeat(caf::actor_config& config, liveness& beats) : pinned(config), beats_(beats) {}

caf::behavior heartbeat::make_behavior() {
  return interfaces::heartbeat::behavior_type{
    [this](const tick& now) { beats_.advance(now.now); },
  }
    .unbox();
}

} // namespace canang::actors
