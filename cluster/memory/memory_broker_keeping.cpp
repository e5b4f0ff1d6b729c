#include "base/memory_cost.hpp"
#include "cluster/memory/memory_broker.hpp"

#include <algorithm>
#include <utility>

// What a memory broker keeps of its rooms, and for how long.

namespace canang::cluster {

namespace {

/// A room that is kept without history is looked at again after no less than this.
constexpr std::chrono::milliseconds least_review_interval{100};

} // namespace

std::size_t memory_broker::cost_of(const stream& room) noexcept {
  return room.recent.cost() + (room.keys ? room.keys->cost() : 0);
}

/// What is kept of the room has changed.
void memory_broker::account(stream& room) {
  const auto cost = cost_of(room);
  total_cost_ += cost - room.counted_cost; // may wrap around, and back
  if (!room.is_taken)
    idle_cost_ += cost - room.counted_cost;
  room.counted_cost = cost;
}

/// Puts a room at the end of the list that it belongs to.
void memory_broker::put_in_place(stream& room) {
  room.place.unlink();
  const bool keeps_something = !room.recent.empty() || room.keys != nullptr;
  if (!room.is_taken)
    (keeps_something ? abandoned_ : bare_).push_back(room);
  else if (keeps_something)
    (room.has_members ? attended_ : lingering_).push_back(room);
}

void memory_broker::drop_history(stream& room) {
  const bool had_some = !room.recent.empty();
  total_bytes_ -= room.recent.bytes();
  room.recent.reset(room.offset);
  if (!had_some)
    return;
  account(room);
  if (!room.keys)
    put_in_place(room);
}

void memory_broker::drop_all(stream& room) {
  room.keys.reset();
  drop_history(room);
  account(room);
  put_in_place(room);
}

void memory_broker::forget_old_keys(stream& room, clock::time_point now) {
  if (!room.keys)
    return;
  room.keys->forget_old(now);
  if (room.keys->empty())
    room.keys.reset();
  account(room);
  if (!room.keys && room.recent.empty())
    put_in_place(room);
}

/// Of a room without a channel.
void memory_broker::forget(stream& room) {
  total_bytes_ -= room.recent.bytes();
  total_cost_ -= room.counted_cost;
  if (room.is_taken)
    --taken_count_; // by somebody who never came
  else
    idle_cost_ -= room.counted_cost;
  names_cost_ -= heap_of(*room.name);
  streams_.erase(streams_.find(*room.name));
}

memory_broker::stream* memory_broker::first_idle() noexcept {
  if (!bare_.empty())
    return &bare_.front();
  return abandoned_.empty() ? nullptr : &abandoned_.front();
}

std::size_t memory_broker::forget_rooms(std::size_t most) {
  std::size_t count = 0;
  for (; count < most; ++count) {
    auto* const idle = first_idle();
    if (idle == nullptr)
      break;
    forget(*idle);
  }
  forgotten_.for_rooms += count;
  return count;
}

std::size_t memory_broker::shed(std::size_t bytes) {
  std::size_t freed = 0;
  while (freed < bytes) {
    auto* const idle = first_idle();
    if (idle == nullptr)
      break;
    freed += idle->counted_cost + name_map_entry_cost<stream> + heap_of(*idle->name);
    forget(*idle);
    ++forgotten_.for_memory;
  }
  return freed;
}

/// Who loses its history next; null: only `latest`, of which something was just published, has one.
memory_broker::stream* memory_broker::first_to_lose(const stream& latest) noexcept {
  for (auto* const rooms : {&abandoned_, &lingering_, &attended_})
    if (!rooms->empty() && &rooms->front() != &latest)
      return &rooms->front();
  return nullptr;
}

void memory_broker::keep_total_in_limit(stream& latest) {
  while (total_cost_ > options_.total_bytes) {
    auto* const loser = first_to_lose(latest);
    if (loser == nullptr) {
      drop_history(latest); // its keys alone leave too little
      return;
    }
    drop_all(*loser);
    ++forgotten_.for_budget;
  }
}

void memory_broker::expire() {
  const auto now = now_();
  look_at_settings();
  presence_.expire(now);
  give_back_buckets(streams_);
  for (auto& each : policies_)
    expire_rooms(each, now);
}

void memory_broker::expire_rooms(policy& of_policy, clock::time_point now) {
  auto& rooms = of_policy.rooms;
  while (!rooms.empty() && rooms.front().expires_at <= now) {
    auto& room = rooms.front();
    drop_history(room);
    forget_old_keys(room, now);
    if (room.open == nullptr && !room.keys) {
      forget(room);
      continue;
    }
    // nothing left to expire: look again later
    room.expires_at = now + std::max(of_policy.settings.history_ttl, least_review_interval);
    room.recency.unlink();
    rooms.push_back(room);
  }
}

} // namespace canang::cluster
