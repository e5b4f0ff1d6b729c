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

} // namespace

roster_keys::roster_keys(std::string_view prefix, std::string_view node)
  : leases(fmt::format("{}:nodes", prefix)),
    info(fmt::format("{}:nodes:info", prefix)),
    taken(fmt::format("{}:taken:{}", prefix, node)),
    lock(fmt::format("{}:reap:{}", prefix, node)),
    back(fmt::format("{}:nodes:back", prefix)) {}

redis_roster::redis_roster(redis_room_services& services, const presence_options& options,
                           handlers calls)
  : services_(services),
    options_(options),
    calls_(std::move(calls)),
    keys_(services.prefix, options.node) {}

void redis_roster::tick() {
  const auto now = services_.now();
  if (services_.shard.can_command()
      && (renewed_at_ == clock::time_point{} || now - renewed_at_ >= renew_interval))
    renew_now();
}

void redis_roster::renew_now() {
  if (is_over_ || std::exchange(is_renewing_, true))
    return;
  renewed_at_ = services_.now();
  const auto description = calls_.describe();
  const decimal lasts{lease_time};
  const decimal interval{renew_interval};
  const std::string_view keys[]{keys_.leases, keys_.info, keys_.taken, keys_.back};
  const std::string_view arguments[]{options_.node, lasts.text(), description, interval.text()};
  services_.shard.run(
    room_scripts().lease, keys, arguments,
    [this, alive = std::weak_ptr<bool>{is_alive_}](redis_errc error, const redis_reply& reply) {
      if (alive.expired())
        return;
      is_renewing_ = false;
      if (reply.is_error())
        services_.note_refusal(housekeeping::lease, reply.text());
      else if (error == redis_errc::none && !is_over_)
        on_leases(reply);
    });
}

void redis_roster::on_leases(const redis_reply& reply) {
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
  if (taken != taken_) {
    taken_ = taken;
    calls_.on_lease(taken.empty() ? lease_state::forgotten : lease_state::taken, taken_);
  } else {
    calls_.on_lease(reply[0].integer() == 1 ? lease_state::held : lease_state::forgotten, taken_);
  }
  for (const auto& node : dead)
    calls_.on_dead(node);
  calls_.on_roster(std::move(living));
}

void redis_roster::give_up(bool leaves_members) {
  if (std::exchange(is_over_, true))
    return;
  const auto ignore = [](redis_errc, const redis_reply&) {};
  if (leaves_members) {
    const std::array<std::string_view, 4> lapse{"ZADD", keys_.leases, "1", options_.node};
    services_.shard.command(lapse, ignore);
    return;
  }
  const std::array<std::string_view, 3> lease{"ZREM", keys_.leases, options_.node};
  const std::array<std::string_view, 3> info{"HDEL", keys_.info, options_.node};
  services_.shard.command(lease, ignore);
  services_.shard.command(info, ignore);
}

} // namespace canang::cluster
