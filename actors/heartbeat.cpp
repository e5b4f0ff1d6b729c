#include "actors/heartbeat.hpp"

#include "actors/messages.hpp"

namespace canang::actors {

heartbeat::heartbeat(caf::actor_config& config, liveness& beats) : pinned(config), beats_(beats) {}

caf::behavior heartbeat::make_behavior() {
  return {
    [this](const tick& now) { beats_.advance(now.now); },
  };
}

} // namespace canang::actors
