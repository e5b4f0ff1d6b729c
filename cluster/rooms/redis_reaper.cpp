#include "cluster/rooms/redis_reaper.hpp"

#include "cluster/rooms/redis_presence.hpp"
#include "cluster/rooms/redis_roster.hpp"
#include "cluster/rooms/room_scripts.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <utility>

namespace canang::cluster {

namespace {

/// For so long nobody else begins to take the same node's members away.
constexpr std::string_view lock_ms = "5000";

/// Rooms of a partition that are read at once.
constexpr std::string_view rooms_a_page = "64";

} // namespace

void redis_reaper::begin(partition_id partition, const std::string& node, bool is_logged) {
  const roster_keys keys{services_.prefix, partition, node};
  const std::array<std::string_view, 6> command{"SET", keys.lock, options_.node,
                                                "NX",  "PX",      lock_ms};
  services_.shard.command(
    command, [this, node, partition, is_logged,
              alive = std::weak_ptr<bool>{is_alive_}](redis_errc error, const redis_reply& reply) {
      if (alive.expired() || error != redis_errc::none)
        return;
      if (reply.is_error())
        services_.note_refusal(housekeeping::reap, reply.text());
      if (reply.is_error() || reply.is_nil())
        return; // somebody else does it
      if (is_logged)
        spdlog::info("redis {}: node {} is gone; taking its members away",
                     services_.shard.identity(), node);
      read_rooms(std::make_shared<reaping>(reaping{.node = node, .partition = partition}), "0");
    });
}

void redis_reaper::read_rooms(const reaping_ptr& what, std::string_view cursor) {
  const auto key = redis_key(services_.prefix, what->partition, "r", what->node);
  const std::array<std::string_view, 5> command{"SSCAN", key, cursor, "COUNT", rooms_a_page};
  services_.shard.command(command, step_of(what, [=, this](const redis_reply& reply) {
                            const auto rooms = reply[1];
                            for (std::size_t i = 0; i < rooms.size(); ++i)
                              reap_room(what, std::string{rooms[i].text()}, "0");
                            if (reply[0].text() != "0")
                              read_rooms(what, reply[0].text()); // when these are done
                          }));
}

void redis_reaper::reap_room(const reaping_ptr& what, const std::string& room,
                             std::string_view cursor) {
  const presence_keys at{services_.prefix, room, what->node};
  const roster_keys node{services_.prefix, what->partition, what->node};
  const auto meta = redis_key(services_.prefix, partition_of(room), "m", room);
  const std::string_view keys[]{at.members,   at.counts,   at.users,   at.grace, at.rooms_of_node,
                                at.last_call, node.leases, node.taken, meta};
  const std::string_view arguments[]{what->node, room,
                                     services_.settings->of(room).join_leave ? "1" : "0", cursor,
                                     presence_page_text};
  services_.shard.run(
    room_scripts().reap, keys, arguments,
    step_of(what, [=, this](const redis_reply& reply) { on_page(what, room, reply); }));
}

void redis_reaper::on_page(const reaping_ptr& what, const std::string& room,
                           const redis_reply& reply) {
  const auto next = reply[0].text();
  if (next == "alive") {
    what->has_failed = true;
    return;
  }
  on_gone_(room, reply, 1);
  if (next != "0")
    reap_room(what, room, next);
}

redis_shard::reply_handler redis_reaper::step_of(const reaping_ptr& what,
                                                 std::function<void(const redis_reply&)> function) {
  ++what->steps;
  return [this, what, function = std::move(function),
          alive = std::weak_ptr<bool>{is_alive_}](redis_errc error, const redis_reply& reply) {
    if (alive.expired())
      return;
    if (error != redis_errc::none || reply.is_error())
      what->has_failed = true;
    else
      function(reply);
    if (reply.is_error())
      services_.note_refusal(housekeeping::reap, reply.text());
    if (--what->steps == 0)
      finish(*what);
  };
}

/// Where something has failed the dead node keeps its lapsed lease, and the next one who sees it, when the
/// lock has ended, takes away what is left; so it is after a reaper that dies before it comes to this.
void redis_reaper::finish(const reaping& what) {
  if (what.has_failed)
    return;
  const roster_keys at{services_.prefix, what.partition, what.node};
  const std::string_view keys[]{at.leases, at.info};
  const std::string_view arguments[]{what.node};
  services_.shard.run(room_scripts().bury, keys, arguments, [](redis_errc, const redis_reply&) {});
}

} // namespace canang::cluster
