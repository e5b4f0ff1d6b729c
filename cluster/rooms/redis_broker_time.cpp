#include "cluster/epoch.hpp"
#include "cluster/redis/refusal.hpp"
#include "cluster/rooms/redis_broker.hpp"
#include "cluster/rooms/room_scripts.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <utility>

// What the Redis broker does as time goes by: it looks after its rooms, and what they take of memory.

namespace canang::cluster {

namespace {

/// A room that nothing was heard of for so long is asked for: with the slots below within 7 s.
constexpr std::chrono::seconds quiet_time{2};

/// In each second the rooms of one slot of the partitions are looked at.
constexpr std::uint32_t position_slots = 4;
constexpr std::uint32_t ticks_a_second = 10;

/// Rooms of one call of the positions script: it holds up all others while it runs.
constexpr std::size_t rooms_a_check = 64;

constexpr std::chrono::minutes complaint_interval{1};

} // namespace

void redis_broker::tick() {
  send_busy(true);
  presence_.send();
  presence_.expire();
  roster_.tick();
  moderation_.tick();
  if (const auto line = faults_.line(services_.now()); !line.empty())
    spdlog::warn("redis {}: {}", shard_.identity(), line);
  if (++ticks_ % ticks_a_second == 0)
    look_at_rooms();
  if (batch_end_)
    batch_end_();
}

void redis_broker::pause_messages(bool paused) {
  if (std::exchange(is_paused_, paused) && !paused)
    resumed_at_ = services_.now();
  shard_.pause_messages(paused);
}

/// Rooms that are known have what the settings say of them at hand.
void redis_broker::look_at_settings() {
  auto current = source_.get();
  if (current == services_.settings)
    return;
  services_.settings = std::move(current);
  for (const auto& [name, room] : rooms_)
    room->settle(services_.settings->of(name));
  presence_.settle();
}

void redis_broker::look_at_rooms() {
  const auto now = services_.now();
  look_at_settings();
  leave_channels(now);
  keep_windows_in_limit();
  note_memory();
  if (!shard_.is_up())
    return;
  const auto slot = ticks_ / ticks_a_second % position_slots;
  // what a room lacks lies in the link, and comes: to read it in the history would be a loss where that is short
  const bool is_unread = is_paused_ || now - resumed_at_ < quiet_time;
  std::vector<room_ptr> due;
  for (const auto& [name, room] : rooms_) {
    if (!room->has_subscriber())
      continue; // nobody is there
    if (room->partition() % position_slots == slot)
      presence_.sweep(name);
    const bool is_quiet = now - room->last_heard() >= quiet_time;
    const bool is_turn = is_quiet && room->partition() % position_slots == slot;
    if (!room->is_live() || (!is_unread && (room->is_suspect() || is_turn)))
      due.push_back(room);
  }
  check_positions(due, true);
}

void redis_broker::leave_channels(clock::time_point now) {
  const auto most = services_.options.max_rooms;
  const auto delay = most != 0 && rooms_.size() > most ? clock::duration::zero()
                                                       : services_.options.unsubscribe_delay;
  std::erase_if(rooms_, [&](const auto& entry) {
    auto& room = *entry.second;
    if (room.is_busy())
      note_busy(room);
    if (room.has_subscriber() || room.is_busy() || !room.listens || now - room.left_at() < delay)
      return false;
    shard_.unsubscribe(room.channel());
    rooms_cost_ -= room.cost();
    room.retire();
    return true;
  });
}

/// Over the limit an eighth goes, so that this is done seldom.
void redis_broker::keep_windows_in_limit() {
  const auto limit = services_.options.window_total_bytes;
  if (services_.windows_cost > limit)
    drop_windows(limit - limit / 8);
}

void redis_broker::shed(std::size_t bytes) {
  const auto before = services_.windows_cost;
  drop_windows(before - std::min(before, bytes));
  services_.metrics.shed_bytes.add(before - services_.windows_cost);
}

/// Rooms lose what they keep for joiners until it is so much in all: Redis has it.
void redis_broker::drop_windows(std::size_t until) {
  std::vector<redis_room*> quietest;
  for (const auto& [name, room] : rooms_)
    if (room->window_cost() > 0)
      quietest.push_back(room.get());
  std::sort(quietest.begin(), quietest.end(), [](const redis_room* a, const redis_room* b) {
    return std::pair{a->has_subscriber(), a->last_heard()}
           < std::pair{b->has_subscriber(), b->last_heard()};
  });
  for (auto* const room : quietest) {
    if (services_.windows_cost <= until)
      return;
    room->forget_window();
  }
}

void redis_broker::note_memory() {
  auto& metrics = services_.metrics;
  metrics.rooms_memory_bytes.set(rooms_cost_ + presence_.cost());
  metrics.windows_memory_bytes.set(services_.windows_cost);
}

void redis_broker::check_positions(std::span<const room_ptr> rooms, bool is_patient) {
  std::array<std::vector<room_ptr>, partition_count> parts;
  for (const auto& room : rooms) {
    auto& part = parts[room->partition()];
    part.push_back(room);
    if (part.size() == rooms_a_check)
      check_some(std::exchange(part, {}), is_patient);
  }
  for (auto& part : parts)
    if (!part.empty())
      check_some(part, is_patient);
}

/// Of rooms that are asked for in one call. Each of them has its own again with its next publication.
std::chrono::milliseconds
redis_broker::longest_meta_ttl(std::span<const room_ptr> rooms) const noexcept {
  std::chrono::milliseconds longest{0};
  for (const auto& room : rooms)
    longest = std::max(longest, meta_ttl(services_.options, room->settings()));
  return longest;
}

/// Asks where some rooms of one partition stand.
void redis_broker::check_some(const std::vector<room_ptr>& rooms, bool is_patient) {
  const auto epoch = make_epoch();
  const decimal ttl{longest_meta_ttl(rooms)};
  std::vector<std::string_view> keys;
  for (const auto& room : rooms) {
    keys.emplace_back(room->meta_key());
    keys.emplace_back(room->stream_key());
  }
  const std::string_view arguments[]{epoch, services_.options.uses_lineage ? "1" : "0", ttl.text(),
                                     services_.node};
  shard_.run(room_scripts().positions, keys, arguments,
             [this, alive = std::weak_ptr<bool>{is_alive_}, rooms,
              is_patient](redis_errc error, const redis_reply& reply) {
               if (alive.expired() || error != redis_errc::none)
                 return;
               if (reply.is_error()) {
                 if (is_not_master(reply.text()))
                   shard_.suspect_master();
                 services_.note_refusal(housekeeping::positions, reply.text());
                 return;
               }
               for (std::size_t i = 0; i < rooms.size(); ++i) {
                 rooms[i]->on_position({std::string{reply[2 * i].text()},
                                        static_cast<std::uint64_t>(reply[2 * i + 1].integer())},
                                       is_patient);
                 if (rooms[i]->is_busy())
                   note_busy(*rooms[i]);
               }
             });
}

/// Logs what Redis refuses, once a minute at most.
void redis_broker::complain(std::string_view text) {
  if (is_acl_refusal(text))
    return; // the shard has said it, with the command
  const auto now = services_.now();
  if (last_complaint_ != clock::time_point{} && now - last_complaint_ < complaint_interval) {
    ++unspoken_complaints_;
    return;
  }
  last_complaint_ = now;
  spdlog::warn("redis {}: {} ({} more since the last such line)", shard_.identity(), text,
               std::exchange(unspoken_complaints_, 0));
}

} // namespace canang::cluster
