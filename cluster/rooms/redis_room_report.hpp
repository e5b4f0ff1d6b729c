#pragma once

#include "cluster/broker.hpp"
#include "cluster/rooms/redis_room.hpp"

#include <string_view>

namespace canang::cluster {

/// Reads from Redis how a room is; its members in pages, so that no reply has what all of them tell of themselves.
/// `handler` is called once, at once or on the loop of the shard; `services` outlive that.
void report_room(redis_room_services& services, std::string_view room, bool with_members,
                 report_handler handler);

} // namespace canang::cluster
