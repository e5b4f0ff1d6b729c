#pragma once

#include <cstdint>

namespace canang::actors {

/// Names a connection on this node: the id of its actor.
using connection_id = std::uint64_t;

/// Names a room on this node, in its present life: the id of its actor.
using room_id = std::uint64_t;

/// Names a membership among those that one connection has had: each join has a new one, so what comes late of
/// an earlier membership of the same room is known for that.
using subscription_id = std::uint32_t;

} // namespace canang::actors
