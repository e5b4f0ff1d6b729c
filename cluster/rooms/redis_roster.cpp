#include "cluster/rooms/redis_roster.hpp"

#include "cluster/rooms/room_scripts.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace canang::cluster {

namespace {

/// Dead within 10 s of the last renewal, found within 2 s more: 15 s with time to take members away.
constexpr std::chrono::milliseconds lease_time{10'000};
constexpr std::chrono::milliseconds renew_interval{2'000};

/// Nodes of the version before had one lease a shard, at these keys. Whoever of them is dead for so long, and was not
/// taken away by another one of them, is left to the leases of the partitions.
constexpr std::string_view old_leases = ":nodes";
constexpr std::string_view old_info = ":nodes:info";
constexpr std::chrono::milliseconds old_grace{60'000};
constexpr std::chrono::seconds old_interval{30};
constexpr std::string_view most_old_nodes = "16"; // at a time

void ignore(redis_errc, const redis_reply&) {}

} // namespace

roster_keys::roster_keys(std::string_view prefix, partition_id partition, std::string_view node)
  : leases(redis_key(prefix, partition, "nodes", "leases")),
    info(redis_key(prefix, partition, "nodes", "info")),
    taken(redis_key(prefix, partition, "taken", node)),
    lock(redis_key(prefix, partition, "reap", node)),
    back(redis_key(prefix, partition, "nodes", "back")) {}

redis_roster::redis_roster(redis_room_services& services, const presence_options& options,
                           handlers calls)
  : services_(services), options_(options), calls_(std::move(calls)) {
  for (const auto partition : services_.partitions())
    leases_.push_back({.partition = partition, .taken = {}});
}

void redis_roster::tick() {
  if (!services_.shard.can_command())
    return;
  const auto now = services_.now();
  for (auto& own : leases_)
    if (own.renewed_at == clock::time_point{} || now - own.renewed_at >= renew_interval)
      renew(own);
}

void redis_roster::renew_now() {
  for (auto& own : leases_)
    renew(own);
}

void redis_roster::renew_now(partition_id partition) {
  for (auto& own : leases_)
    if (own.partition == partition)
      renew(own);
}

void redis_roster::renew(lease& own) {
  if (is_over_ || std::exchange(own.is_renewing, true))
    return;
  own.renewed_at = services_.now();
  const roster_keys at{services_.prefix, own.partition, options_.node};
  const auto description = &own == &leases_.front() ? calls_.describe() : std::string{};
  const decimal lasts{lease_time};
  const decimal interval{renew_interval};
  const std::string_view keys[]{at.leases, at.info, at.taken, at.back};
  const std::string_view arguments[]{options_.node, lasts.text(), description, interval.text()};
  services_.shard.run(room_scripts().lease, keys, arguments,
                      [this, &own, alive = std::weak_ptr<bool>{is_alive_}](
                        redis_errc error, const redis_reply& reply) {
                        if (alive.expired())
                          return;
                        own.is_renewing = false;
                        if (reply.is_error())
                          services_.note_refusal(housekeeping::lease, reply.text());
                        else if (error == redis_errc::none && !is_over_)
                          on_leases(own, reply);
                      });
}

void redis_roster::on_leases(lease& own, const redis_reply& reply) {
  const bool is_first = &own == &leases_.front();
  const auto now = reply[1].integer();
  const auto taken = reply[2].text();
  roster living;
  std::vector<std::string> dead;
  for (std::size_t i = 3; i + 2 < reply.size(); i += 3) {
    std::string node{reply[i].text()};
    if (reply[i + 1].integer() >= now)
      living.push_back({std::move(node), std::string{reply[i + 2].text()}});
    else
      dead.push_back(std::move(node));
  }
  if (taken != own.taken) {
    own.taken = taken;
    calls_.on_lease(own.partition, taken.empty() ? lease_state::forgotten : lease_state::taken,
                    own.taken);
  } else {
    calls_.on_lease(own.partition,
                    reply[0].integer() == 1 ? lease_state::held : lease_state::forgotten,
                    own.taken);
  }
  for (const auto& node : dead)
    calls_.on_dead(own.partition, node, is_first);
  if (!is_first)
    return;
  calls_.on_roster(std::move(living));
  look_for_old(now);
}

void redis_roster::look_for_old(std::int64_t now_ms) {
  const auto now = services_.now();
  if (looked_for_old_at_ != clock::time_point{} && now - looked_for_old_at_ < old_interval)
    return;
  looked_for_old_at_ = now;
  const auto key = services_.prefix + std::string{old_leases};
  const auto living = std::to_string(now_ms - lease_time.count());
  const std::array<std::string_view, 8> command{"ZRANGE",  key,     living, "+inf",
                                                "BYSCORE", "LIMIT", "0",    "1"};
  services_.shard.command(command, [this, alive = std::weak_ptr<bool>{is_alive_}](
                                     redis_errc error, const redis_reply& reply) {
    if (!alive.expired() && error == redis_errc::none && !reply.is_error())
      calls_.on_old(reply.size() > 0);
  });
  take_over_old(now_ms);
}

void redis_roster::take_over_old(std::int64_t now_ms) {
  const auto key = services_.prefix + std::string{old_leases};
  const auto latest = std::to_string(now_ms - old_grace.count());
  const std::array<std::string_view, 8> command{"ZRANGE",  key,     "-inf", latest,
                                                "BYSCORE", "LIMIT", "0",    most_old_nodes};
  services_.shard.command(command, [this, alive = std::weak_ptr<bool>{is_alive_}](
                                     redis_errc error, const redis_reply& reply) {
    if (!alive.expired() && error == redis_errc::none && !reply.is_error())
      take_over(reply);
  });
}

/// Each partition finds a lapsed lease, and does what it does with any.
void redis_roster::take_over(const redis_reply& nodes) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto node = nodes[i].text();
    for (const auto& own : leases_) {
      const roster_keys at{services_.prefix, own.partition, node};
      const std::array<std::string_view, 5> lapsed{"ZADD", at.leases, "NX", "1", node};
      services_.shard.command(lapsed, ignore);
    }
    const auto leases = services_.prefix + std::string{old_leases};
    const auto info = services_.prefix + std::string{old_info};
    services_.shard.command(std::array<std::string_view, 3>{"ZREM", leases, node}, ignore);
    services_.shard.command(std::array<std::string_view, 3>{"HDEL", info, node}, ignore);
  }
}

void redis_roster::give_up(bool leaves_members) {
  if (std::exchange(is_over_, true))
    return;
  for (const auto& own : leases_) {
    const roster_keys at{services_.prefix, own.partition, options_.node};
    if (leaves_members)
      services_.shard.command(
        std::array<std::string_view, 4>{"ZADD", at.leases, "1", options_.node}, ignore);
    else
      services_.shard.command(std::array<std::string_view, 3>{"ZREM", at.leases, options_.node},
                              ignore);
  }
  if (leaves_members || leases_.empty())
    return;
  const roster_keys first{services_.prefix, leases_.front().partition, options_.node};
  services_.shard.command(std::array<std::string_view, 3>{"HDEL", first.info, options_.node},
                          ignore);
}

} // namespace canang::cluster
