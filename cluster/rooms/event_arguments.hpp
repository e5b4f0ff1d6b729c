#pragma once

#include "cluster/rooms/redis_room.hpp"
#include "cluster/rooms/room_scripts.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace canang::cluster {

/// The keys and arguments with which a script begins that tells joins and leaves in a room
/// (cluster/rooms/scripts/events.lua). Views of it are valid as long as it is there.
class event_arguments {
public:
  event_arguments(const redis_room_services& services, std::string_view room);
  event_arguments(const event_arguments&) = delete;
  event_arguments& operator=(const event_arguments&) = delete;

  [[nodiscard]] std::vector<std::string_view> keys() const { return {meta_, stream_, events_}; }
  [[nodiscard]] std::vector<std::string_view> arguments() const;

private:
  event_arguments(const redis_room_services& services, std::string_view room,
                  const room_settings& settings);

  std::string meta_;
  std::string stream_;
  std::string events_;
  std::string channel_;
  std::string epoch_;
  bool uses_lineage_;
  decimal kept_;
  decimal events_kept_;
  decimal history_ttl_;
  decimal meta_ttl_;
};

} // namespace canang::cluster
