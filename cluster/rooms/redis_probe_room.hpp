#pragma once

#include "cluster/rooms/redis_room.hpp"

#include <string>
#include <string_view>

namespace canang::cluster {

/// Publishes the probes of a shard as a room publishes: by the same script, which stores before it
/// publishes. So whatever keeps rooms from publishing (full memory, an ACL, a replica) shows before somebody
/// publishes. Its two keys end by themselves. Owned by a broker, on its thread.
class redis_probe_room {
public:
  redis_probe_room(redis_room_services& services, std::string_view node);

  /// The handler gets an error reply when rooms cannot publish either.
  void publish(std::string_view channel, std::string_view payload,
               redis_shard::reply_handler handler);

private:
  redis_room_services& services_;
  redis_broker_options options_;
  room_settings settings_; // of a room that keeps one publication, and not for long
  std::string meta_key_;
  std::string stream_key_;
};

} // namespace canang::cluster
