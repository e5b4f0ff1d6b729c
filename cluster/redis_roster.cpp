#include "cluster/redis_roster.hpp"

#include "cluster/room_scripts.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>
#include <utility>

namespace canang::cluster {

namespace {

/// Dead within 10 s of the last renewal, found within 2 s more: 15 s with time to take members away.
constexpr std::chrono::milliseconds lease_time{10'000};
constexpr std::chrono::milliseconds renew_interval{2'000};

/// For so long nobody else begins to take the same node's members away.
constexpr std::string_view reap_lock_ms = "5000";

/// For so long a node that was only asleep finds out that it was taken for dead.
constexpr std::string_view reaped_ms = "3600000";

} // namespace

redis_roster::redis_roster(redis_room_services& services, const presence_options& options,
                           handlers calls)
  : services_(services),
    options_(options),
    calls_(std::move(calls)),
    leases_key_(services.prefix + ":nodes"),
    info_key_(services.prefix + ":nodes:info") {}

void redis_roster::tick() {
  const auto now = services_.now();
  if (!services_.shard.can_command()
      || (renewed_at_ != clock::time_point{} && now - renewed_at_ < renew_interval))
    return;
  renew_now();
}

void redis_roster::renew_now() {
  if (is_over_)
    return;
  renewed_at_ = services_.now();
  const auto description = calls_.describe();
  const decimal time{lease_time};
  const auto reaped = reap_key(options_.node);
  const std::string_view keys[]{leases_key_, info_key_, reaped};
  const std::string_view arguments[]{options_.node, time.text(), description};
  services_.shard.run(room_scripts().lease, keys, arguments,
                      guarded([this](const redis_reply& reply) { on_leases(reply); }));
}

void redis_roster::on_leases(const redis_reply& reply) {
  if (is_over_)
    return;
  const auto had_lease = reply[0].integer();
  if (had_lease != 1 && !is_first_)
    calls_.on_lease_lost(had_lease == 2);
  is_first_ = false;
  const auto now = reply[1].integer();
  roster living;
  for (std::size_t i = 2; i + 2 < reply.size(); i += 3) {
    const std::string node{reply[i].text()};
    if (reply[i + 1].integer() >= now)
      living.push_back({node, std::string{reply[i + 2].text()}});
    else
      begin_to_reap(node);
  }
  calls_.on_roster(std::move(living));
}

void redis_roster::begin_to_reap(const std::string& node) {
  const auto lock = reap_key(node);
  const std::array<std::string_view, 6> command{"SET", lock, options_.node,
                                                "NX",  "PX", reap_lock_ms};
  services_.shard.command(command, guarded([this, node](const redis_reply& reply) {
                            if (reply.is_nil())
                              return; // somebody else does it
                            spdlog::info("redis {}: node {} is gone; taking its members away",
                                         services_.shard.identity(), node);
                            const auto what = std::make_shared<reaping>(reaping{node});
                            for (partition_id partition = 0; partition < partition_count;
                                 ++partition)
                              reap_partition(what, partition);
                          }));
}

void redis_roster::reap_partition(const reaping_ptr& what, partition_id partition) {
  const auto key = redis_key(services_.prefix, partition, "r", what->node);
  const std::array<std::string_view, 2> command{"SMEMBERS", key};
  services_.shard.command(command, step_of(what, [this, what](const redis_reply& rooms) {
                            for (std::size_t i = 0; i < rooms.size(); ++i)
                              reap_room(what, std::string{rooms[i].text()});
                          }));
}

void redis_roster::reap_room(const reaping_ptr& what, const std::string& room) {
  const presence_keys at{services_.prefix, room, what->node};
  const std::string_view keys[]{at.members, at.counts,        at.users,
                                at.grace,   at.rooms_of_node, at.answered};
  const std::string_view arguments[]{what->node, room, options_.rules.announces(room) ? "1" : "0"};
  services_.shard.run(
    room_scripts().reap, keys, arguments,
    step_of(what, [this, room](const redis_reply& gone) { calls_.on_gone(room, gone); }));
  release_room(services_, room, what->node, step_of(what, [](const redis_reply&) {}));
}

redis_shard::reply_handler redis_roster::step_of(const reaping_ptr& what,
                                                 std::function<void(const redis_reply&)> function) {
  ++what->steps;
  return guarded_anyway(
    [this, what, function = std::move(function)](redis_errc error, const redis_reply& reply) {
      if (error != redis_errc::none || reply.is_error())
        what->has_failed = true;
      else
        function(reply);
      if (reply.is_error())
        services_.complain(reply.text());
      if (--what->steps == 0)
        finish(*what);
    });
}

/// Where something has failed the dead node keeps its lease, and the next one who sees it, when the lock
/// has ended, takes away what is left; so it is after a reaper that dies before it comes to this.
void redis_roster::finish(const reaping& what) {
  if (what.has_failed)
    return;
  const auto key = reap_key(what.node);
  const std::array<std::string_view, 5> mark{"SET", key, "", "PX", reaped_ms};
  services_.shard.command(mark, [](redis_errc, const redis_reply&) {});
  forget(what.node);
}

void redis_roster::forget(std::string_view node) {
  const std::array<std::string_view, 3> lease{"ZREM", leases_key_, node};
  const std::array<std::string_view, 3> info{"HDEL", info_key_, node};
  services_.shard.command(lease, [](redis_errc, const redis_reply&) {});
  services_.shard.command(info, [](redis_errc, const redis_reply&) {});
}

std::string redis_roster::reap_key(std::string_view node) const {
  return fmt::format("{}:reap:{}", services_.prefix, node);
}

void redis_roster::give_up() {
  if (!std::exchange(is_over_, true))
    forget(options_.node);
}

} // namespace canang::cluster
