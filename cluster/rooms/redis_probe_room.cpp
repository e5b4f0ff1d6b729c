#include "cluster/rooms/redis_probe_room.hpp"

#include "cluster/rooms/room_scripts.hpp"

#include <algorithm>
#include <utility>

namespace canang::cluster {
namespace {

/// Keys of a node that is gone end after this; a node that lives writes them every few seconds.
constexpr std::chrono::milliseconds probe_ttl{60'000};

} // namespace

redis_probe_room::redis_probe_room(redis_room_services& services, std::string_view node)
  : services_(services),
    options_(services.options),
    meta_key_(redis_key(services.prefix, partition_of(node), "probe-m", node)),
    stream_key_(redis_key(services.prefix, partition_of(node), "probe-s", node)) {
  settings_.history_size = std::min<std::size_t>(services.settings->rooms.history_size, 1);
  settings_.history_ttl = probe_ttl;
  options_.position_extra_ttl = {};
}

void redis_probe_room::publish(std::string_view channel, std::string_view payload,
                               redis_shard::reply_handler handler) {
  publication message;
  message.data = payload;
  publish_call call{options_, settings_, {services_.origin, ++services_.batches}};
  call.set_keys(meta_key_, stream_key_, channel);
  call.add(message, {});
  services_.shard.run(
    room_scripts().publish, call.keys(), call.arguments(),
    [this, handler = std::move(handler)](redis_errc error, const redis_reply& reply) {
      if (reply.is_error() && is_not_master(reply.text()))
        services_.shard.suspect_master();
      handler(error, reply);
    });
}

} // namespace canang::cluster
