#include "cluster/memory/memory_broker.hpp"

#include <algorithm>
#include <utility>

// What the settings say of the rooms of a memory broker.

namespace canang::cluster {

namespace {

/// Rooms that are looked up anew in a second after the settings were replaced: some milliseconds.
constexpr std::size_t most_settled_rooms = 16'384;

history_limits limits_of(const room_settings& settings, const memory_broker_options& options) {
  auto limits = history_limits::of(settings.history_size, settings.history_bytes);
  limits.cost = options.total_bytes;
  return limits;
}

} // namespace

memory_broker::policy& memory_broker::policy_of(std::string_view room) {
  const auto settings = table_->of(room);
  const auto known = std::find_if(policies_.begin(), policies_.end(),
                                  [&](const policy& each) { return each.settings == settings; });
  if (known != policies_.end())
    return *known;
  auto& added = policies_.emplace_back();
  added.settings = settings;
  added.limits = limits_of(settings, options_);
  return added;
}

/// Gives a room the policy that it has by the settings in force.
void memory_broker::settle(stream& room) {
  if (std::exchange(room.settled, settings_count_) == settings_count_)
    return;
  auto& next = policy_of(*room.name);
  if (std::exchange(room.kept_by, &next) == &next)
    return;
  total_bytes_ -= room.recent.bytes();
  room.recent.trim(next.limits);
  total_bytes_ += room.recent.bytes();
  account(room);
  put_in_place(room);
  room.expires_at = now_() + next.settings.history_ttl;
  room.recency.unlink();
  next.rooms.push_back(room);
  presence_.set_told(*room.name, next.settings.join_leave);
}

void memory_broker::look_at_settings() {
  if (auto current = source_.get(); current != table_) {
    table_ = std::move(current);
    ++settings_count_;
    buckets_ = streams_.bucket_count();
    settled_buckets_ = 0;
  }
  if (buckets_ != 0)
    settle_some();
}

/// Goes on with the rooms that nobody uses.
void memory_broker::settle_some() {
  if (buckets_ != streams_.bucket_count()) { // they have moved
    buckets_ = streams_.bucket_count();
    settled_buckets_ = 0;
  }
  for (std::size_t count = 0; settled_buckets_ < buckets_; ++settled_buckets_) {
    if (count >= most_settled_rooms)
      return;
    const auto end = streams_.end(settled_buckets_);
    for (auto at = streams_.begin(settled_buckets_); at != end; ++at) {
      count += at->second.settled == settings_count_ ? 0 : 1;
      settle(at->second);
    }
  }
  buckets_ = 0;
  policies_.remove_if([](const policy& each) { return each.rooms.empty(); });
}

} // namespace canang::cluster
