#include "actors/node/memory_owners.hpp"

#include "actors/connection.hpp"
#include "net/outbox_budget.hpp"

namespace canang::actors {

std::vector<net::owned_memory> memory_by_owner(std::span<const net::loop_metrics* const> loops,
                                               shard_list shards) {
  net::owned_memory connections{.owner = "connections"};
  net::owned_memory rooms{.owner = "rooms"};
  net::owned_memory history{.owner = "history"};
  net::owned_memory outbox{.owner = "outbox"};
  net::owned_memory redis{.owner = "redis"};
  std::uint64_t memberships = 0;
  std::uint64_t members = 0;
  for (const auto* const loop : loops) {
    memberships += loop->members.value();
    members += loop->connections.value();
    connections.bytes += loop->connections.value() * connection::memory_bytes
                         + loop->users_memory_bytes.value()
                         + loop->stream_rooms_memory_bytes.value();
    rooms.bytes += loop->room_actors_memory_bytes.value() + loop->kept_rooms_memory_bytes.value();
    history.bytes += loop->history_memory_bytes.value();
    outbox.bytes += net::held_for_clients(*loop);
  }
  if (memberships
      > members) // all that are beyond the first of a connection, nearly: one may be joining
    connections.bytes += (memberships - members) * connection::further_room_bytes;
  for (const auto& shard : shards) {
    rooms.bytes += shard->metrics.rooms_memory_bytes.value();
    history.bytes += shard->metrics.windows_memory_bytes.value();
    redis.bytes += shard->metrics.buffered_bytes.value();
  }
  return {connections, rooms, history, outbox, redis};
}

} // namespace canang::actors
