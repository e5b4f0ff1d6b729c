#include "cluster/rooms/redis_presence.hpp"

#include "base/memory_cost.hpp"
#include "cluster/rooms/event_arguments.hpp"
#include "cluster/rooms/room_scripts.hpp"
#include "cluster/who_text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <iterator>
#include <utility>

namespace canang::cluster {

namespace {

/// Above twice its members so many changes of a room, they are all told anew instead.
constexpr std::size_t most_spare_changes = 64;

/// Changes of one call of the script: it holds up all others of that Redis while it runs.
constexpr std::size_t most_changes_a_call = 512;

std::uint64_t read_cursor(std::string_view text) noexcept {
  std::uint64_t cursor = 0;
  std::from_chars(text.data(), text.data() + text.size(), cursor);
  return cursor;
}

} // namespace

presence_keys::presence_keys(std::string_view prefix, std::string_view room,
                             std::string_view node) {
  const auto partition = partition_of(room);
  members = redis_key(prefix, partition, "p", room);
  counts = redis_key(prefix, partition, "n", room);
  users = redis_key(prefix, partition, "u", room);
  grace = redis_key(prefix, partition, "g", room);
  rooms_of_node = redis_key(prefix, partition, "r", node);
  last_call = redis_key(prefix, partition, "a", fmt::format("{}:{}", node, room));
}

redis_presence::redis_presence(redis_room_services& services, const presence_options& options,
                               std::function<void(partition_id)> renew_lease)
  : services_(services),
    options_(options),
    renew_lease_(std::move(renew_lease)),
    leaves_(services, options) {}

void redis_presence::note(std::string_view room, const local_member& who, bool is_here) {
  const auto [at, is_new] = rooms_.try_emplace(std::string{room});
  auto& [name, target] = *at;
  if (is_new)
    settle(name, target);
  const bool is_kept = target.is_kept;
  if (is_here) {
    if (target.members.try_emplace(who.id, member{who.who, is_kept ? '+' : '='}).second) {
      ++member_count_;
      texts_cost_ += heap_of_text(who.who.size());
    }
    if (is_kept)
      target.changes.push_back({who.id, who.who, '+'});
  } else if (auto gone = target.members.extract(who.id)) {
    auto& text = gone.mapped().who;
    --member_count_;
    texts_cost_ -= heap_of_text(text.size());
    if (is_kept)
      target.changes.push_back({who.id, {}, '-'});
    if (target.is_told)
      leaves_.wait(room, {fmt::format("{}/{}", options_.node, who.id), std::move(text)},
                   services_.now() + leave_grace);
  }
  if (target.needs_all || target.changes.size() > 2 * target.members.size() + most_spare_changes)
    want_all(name, target); // all members are less than all that they did while Redis was away
  dirty_.insert(name);
}

// --- what the settings say

void redis_presence::settle(const std::string& name, local_room& room) {
  const auto settings = services_.settings->of(name);
  room.is_told = settings.join_leave;
  room.is_kept = settings.keeps_presence();
  room.partition = partition_of(name);
}

void redis_presence::settle() {
  for (auto& [name, room] : rooms_) {
    const bool was_kept = room.is_kept;
    settle(name, room);
    if (room.is_kept == was_kept)
      continue;
    room.is_left_over = was_kept;
    for (auto& [connection, who] : room.members)
      who.how = '='; // nobody comes or goes by it
    want_all(name, room);
  }
}

std::size_t redis_presence::cost() const noexcept {
  return rooms_.size() * (name_map_entry_cost<local_room> + first_buckets_cost)
         + member_count_ * number_map_entry_cost<std::uint64_t, member> + texts_cost_;
}

// --- what is sent, and when

/// While Redis refuses everybody one room at a time is tried, to see whether it takes them again; and with
/// each one that it takes, one more at a time. What it takes may need no memory, where another does.
bool redis_presence::can_send(clock::time_point now) const {
  if (is_clear_ || !services_.shard.can_command() || !pause_.is_over(now))
    return false;
  return !pause_.is_refused() || calls_on_their_way_ < tries_at_a_time_;
}

void redis_presence::send() {
  const auto now = services_.now();
  while (!refused_.empty() && refused_.begin()->first <= now) {
    dirty_.insert(std::move(refused_.begin()->second));
    refused_.erase(refused_.begin());
  }
  if (has_new_leases_)
    tell_anew();
  if (dirty_.empty() || !can_send(now))
    return;
  for (const auto& name : std::vector<std::string>{dirty_.begin(), dirty_.end()}) {
    if (!can_send(now))
      return;
    send_if_due(name, now);
  }
}

void redis_presence::send_if_due(const std::string& name, clock::time_point now) {
  const auto known = rooms_.find(name);
  if (known != rooms_.end() && known->second.is_on_its_way)
    return;
  dirty_.erase(name);
  if (known == rooms_.end() || leases_[known->second.partition].is_awaited)
    return;                             // with the lease all of them are told anew
  if (known->second.pause.is_over(now)) // else it is among the refused ones
    send_room(name, known->second);
}

void redis_presence::want_all(const std::string& name, local_room& room) {
  room.needs_all = true;
  room.changes.clear();
  room.cursor.reset();
  dirty_.insert(name);
}

/// All members, and then a look at whom Redis has besides: where they are not kept any more, at all of them.
void redis_presence::begin_anew(local_room& room) {
  room.needs_all = false;
  if (!room.is_kept && !room.is_left_over)
    return;
  room.cursor = 0;
  if (!room.is_kept)
    return;
  room.changes.reserve(room.members.size());
  for (const auto& [connection, who] : room.members)
    room.changes.push_back({connection, who.who, who.how});
}

/// As many of the oldest as one call may have; of those there are, at least one.
std::vector<redis_presence::change> redis_presence::take_changes(local_room& room) {
  auto& all = room.changes;
  std::size_t count = 0;
  for (std::size_t bytes = 0;
       count < all.size() && count < most_changes_a_call && bytes < most_who_bytes_a_call; ++count)
    bytes += all[count].who.size();
  if (count == all.size())
    return std::exchange(all, {});
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<change> taken{std::make_move_iterator(all.begin()), std::make_move_iterator(end)};
  all.erase(all.begin(), end);
  return taken;
}

void redis_presence::send_room(const std::string& name, local_room& room) {
  if (room.needs_all)
    begin_anew(room);
  const auto changes = take_changes(room);
  const bool looks = room.cursor && room.changes.empty();
  run(name, room, changes, looks ? std::to_string(*room.cursor) : std::string{});
}

void redis_presence::run(const std::string& name, local_room& room, std::span<const change> changes,
                         std::string_view cursor) {
  const presence_keys at{services_.prefix, name, options_.node};
  const roster_keys leases{services_.prefix, room.partition, options_.node};
  const event_arguments of_room{services_, name};
  const bool tells = room.is_told;
  const auto number = ++calls_;
  const decimal count{room.is_unsure ? std::size_t{1}
                                     : room.members.size()}; // of 0 nobody looks for it
  const decimal grace{std::chrono::milliseconds{leave_grace}};
  const decimal this_call{number};
  const decimal unheard{room.unheard == 0 ? number : room.unheard};
  auto keys = of_room.keys();
  keys.insert(keys.end(), {at.members, at.counts, at.users, at.grace, at.rooms_of_node,
                           at.last_call, leases.leases, leases.taken});
  auto arguments = of_room.arguments();
  arguments.insert(arguments.end(),
                   {options_.node, name, count.text(), tells ? grace.text() : std::string_view{},
                    this_call.text(), unheard.text(), cursor, presence_page_text,
                    leases_[room.partition].taken});
  std::vector<std::string> texts;
  texts.reserve(2 * changes.size()); // the views need them to stay where they are
  std::vector<std::uint64_t> came;
  for (const auto& item : changes) {
    const auto& id = texts.emplace_back(std::to_string(item.connection));
    auto& json = texts.emplace_back();
    if (item.how == '+')
      came.push_back(item.connection);
    if (item.how == '+' && tells)
      json = options_.describe(member_of(fmt::format("{}/{}", options_.node, id), item.who));
    arguments.insert(arguments.end(), {id, item.who, std::string_view{&item.how, 1}, json});
  }
  room.is_on_its_way = true;
  ++calls_on_their_way_;
  services_.shard.run(room_scripts().presence, keys, arguments,
                      [this, alive = std::weak_ptr<bool>{is_alive_}, name, number,
                       came = std::move(came)](redis_errc error, const redis_reply& reply) {
                        if (!alive.expired())
                          on_reply(name, number, came, error, reply);
                      });
}

// --- what Redis answers

void redis_presence::on_reply(const std::string& name, std::uint64_t number,
                              const std::vector<std::uint64_t>& came, redis_errc error,
                              const redis_reply& reply) {
  --calls_on_their_way_;
  const bool is_done = error == redis_errc::none && reply[0].text() == "done";
  leaves_members_ |= is_clear_ && !is_done; // also of a room that the answer before let go
  const auto known = rooms_.find(name);
  if (known == rooms_.end())
    return;
  auto& room = known->second;
  room.is_on_its_way = false;
  if (!is_done) {
    room.unheard = room.unheard == 0 ? number : room.unheard;
    want_all(name, room); // at the next occasion
    if (reply[0].text() == "lease" && !is_clear_) {
      leases_[room.partition].is_awaited = true;
      renew_lease_(room.partition);
    } else if (error == redis_errc::none && reply[0].text() != "late") {
      on_refused(name, room, reply.text());
    }
    return;
  }
  room.unheard = 0;
  room.pause.succeed();
  const bool was_refused = pause_.is_refused();
  for (const auto connection : came)
    if (const auto here = room.members.find(connection); here != room.members.end())
      here->second.how = '=';
  on_done(name, room, reply);
  if (room.members.empty() && !dirty_.contains(name))
    rooms_.erase(known);
  const auto now = services_.now();
  if (was_refused) {
    // one that was on its way when another was refused says nothing of what comes after that
    if (pause_.is_over(now) || dirty_.empty())
      on_taken_again();
  } else if (dirty_.contains(name) && can_send(now)) {
    send_if_due(name, now);
  }
}

/// Redis has taken a room's while it refused others'.
void redis_presence::on_taken_again() {
  pause_.end();
  ++tries_at_a_time_;
  send();
  if (dirty_.empty())
    pause_.succeed();
}

/// Goes on with what is left to send, and takes out whom Redis has and this node has not.
void redis_presence::on_done(const std::string& name, local_room& room, const redis_reply& reply) {
  if (room.cursor && room.changes.empty() && reply.size() >= 2) {
    for (std::size_t i = 2; i < reply.size(); ++i) {
      const auto connection = static_cast<std::uint64_t>(reply[i].integer());
      if (!room.is_kept || !room.members.contains(connection))
        room.changes.push_back({connection, {}, '-'});
    }
    room.cursor = read_cursor(reply[1].text());
    if (*room.cursor == 0) {
      room.cursor.reset(); // all were looked at
      room.is_left_over &= room.is_kept || !room.changes.empty();
    }
  } else if (!room.cursor && room.changes.empty() && !room.needs_all) {
    room.is_left_over = false;
  }
  if (room.cursor || !room.changes.empty())
    dirty_.insert(name);
}

/// What Redis refuses everybody, memory for one, is tried again with one room; what it refuses one room,
/// with that room.
void redis_presence::on_refused(const std::string& name, local_room& room, std::string_view error) {
  services_.note_refusal(housekeeping::presence, error);
  const auto now = services_.now();
  if (is_not_master(error) || is_temporary(error)) {
    tries_at_a_time_ = 1;
    if (pause_.is_over(now)) // one refusal, and not one for each that was on its way
      pause_.refuse(now);
    return;
  }
  dirty_.erase(name);
  refused_.emplace(room.pause.refuse(now), name);
}

// --- the lease

void redis_presence::await_leases() {
  for (auto& lease : leases_)
    lease.is_awaited = true;
}

bool redis_presence::on_lease(partition_id partition, lease_state state, const std::string& taken) {
  auto& lease = leases_[partition];
  lease.taken = taken;
  const bool was_awaited = std::exchange(lease.is_awaited, false);
  if (is_clear_ || (state == lease_state::held && !was_awaited))
    return false;
  lease.is_new = has_new_leases_ = true;
  lease.is_taken_new |= state == lease_state::taken;
  return true;
}

/// Of all partitions at once, since their leases come together.
void redis_presence::tell_anew() {
  for (auto& [name, room] : rooms_) {
    const auto& lease = leases_[room.partition];
    if (!lease.is_new)
      continue;
    if (lease.is_taken_new)
      for (auto& [connection, who] : room.members)
        who.how = room.is_kept ? '+' : '='; // whoever was told to have left comes anew
    want_all(name, room);
  }
  for (auto& lease : leases_)
    lease.is_new = lease.is_taken_new = false;
  has_new_leases_ = false;
}

/// Where it is not certain who is in a room, its leaves wait.
void redis_presence::expire() {
  if (pause_.is_refused())
    return;
  leaves_.ask([this](const std::string& room) { return is_uncertain(room); });
}

bool redis_presence::is_uncertain(const std::string& name) const {
  const auto& lease = leases_[partition_of(name)];
  if (lease.is_awaited || lease.is_new)
    return true;
  const auto known = rooms_.find(name);
  return known != rooms_.end()
         && (known->second.is_on_its_way || known->second.needs_all || dirty_.contains(name));
}

/// What is on its way is overtaken by nothing: the link keeps the order. Leaves in their grace are told
/// by those who stay.
void redis_presence::clear() {
  if (has_new_leases_)
    tell_anew(); // who else is there is not known of those rooms
  is_clear_ = true;
  member_count_ = texts_cost_ = 0;
  leaves_.clear();
  for (const auto partition : services_.partitions()) // rooms of it may have members that left
    leaves_members_ |= leases_[partition].is_awaited;
  for (auto& [name, room] : rooms_) {
    const auto members = std::exchange(room.members, {});
    if (room.is_kept || room.is_left_over)
      for (const auto& [connection, who] : members)
        room.changes.push_back({connection, {}, '-'});
    room.is_unsure = room.needs_all || room.unheard != 0 || room.cursor.has_value()
                     || leases_[room.partition].is_awaited; // who else is there?
    leaves_members_ |= room.is_unsure;
    room.cursor.reset();
    room.needs_all = false;
    do
      send_room(name, room);
    while (!room.changes.empty());
  }
}

} // namespace canang::cluster
