#pragma once

#include "cluster/broker.hpp"
#include "cluster/rooms/redis_room.hpp"

#include <span>
#include <string>

namespace canang::cluster {

/// Reads from what these nodes have told Redis which rooms have members, and how many. `handler` is called once, at
/// once or on the loop of the shard; `services` outlive that.
void list_rooms(redis_room_services& services, std::span<const std::string> nodes,
                const room_list_request& wanted, room_list_handler handler);

} // namespace canang::cluster
