#include "cluster/redis_presence.hpp"

#include "cluster/epoch.hpp"
#include "cluster/room_scripts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace canang::cluster {

namespace {

/// A leave that nobody has told for so long after it was due is told by whoever notices.
constexpr std::string_view overdue_ms = "2000";

constexpr std::size_t most_spare_changes = 64;

constexpr std::size_t most_pending_leaves = 65'536;

/// A leave whose room is being told to Redis is looked at again after this.
constexpr std::chrono::milliseconds leave_retry{100};

} // namespace

presence_keys::presence_keys(std::string_view prefix, std::string_view room,
                             std::string_view node) {
  const auto partition = partition_of(room);
  members = redis_key(prefix, partition, "p", room);
  counts = redis_key(prefix, partition, "n", room);
  users = redis_key(prefix, partition, "u", room);
  grace = redis_key(prefix, partition, "g", room);
  rooms_of_node = redis_key(prefix, partition, "r", node);
}

redis_presence::redis_presence(redis_room_services& services, const presence_options& options,
                               tell_function tell)
  : services_(services), options_(options), tell_(std::move(tell)) {}

void redis_presence::note(std::string_view room, const local_member& who, bool is_here) {
  auto& target = rooms_.try_emplace(std::string{room}).first->second;
  const bool is_told = options_.rules.announces(room);
  const bool is_kept = is_told || options_.rules.keeps_presence(room);
  if (is_here) {
    target.members.try_emplace(who.id, member{who.user, !is_kept});
    if (is_kept)
      target.changes.push_back({who.id, who.user, '+'});
  } else if (auto gone = target.members.extract(who.id)) {
    auto& user = gone.mapped().user;
    if (is_told)
      leaves_.push_back({services_.now() + leave_grace, std::string{room}, user, who.id});
    if (leaves_.size() > most_pending_leaves)
      leaves_.pop_front(); // Redis is away for long; a sweep tells it
    if (is_kept)
      target.changes.push_back({who.id, std::move(user), '-'});
  }
  if (target.needs_all || target.changes.size() > target.members.size() + most_spare_changes) {
    target.needs_all = true; // all members are less than all that they did while Redis was away
    target.changes.clear();
  }
  dirty_.insert(std::string{room});
}

void redis_presence::send() {
  if (!services_.shard.can_command())
    return;
  for (auto at = dirty_.begin(); at != dirty_.end();) {
    auto& room = rooms_[*at];
    if (room.is_on_its_way) {
      ++at;
      continue;
    }
    send_room(*at, room);
    at = dirty_.erase(at);
  }
}

std::vector<redis_presence::change> redis_presence::all_of(const local_room& room) {
  std::vector<change> all;
  all.reserve(room.members.size());
  for (const auto& [connection, who] : room.members)
    all.push_back({connection, who.user, who.is_settled ? '=' : '?'});
  return all;
}

void redis_presence::send_room(const std::string& name, local_room& room) {
  const presence_keys at{services_.prefix, name, options_.node};
  const bool is_told = options_.rules.announces(name);
  const bool is_kept = is_told || options_.rules.keeps_presence(name);
  const bool is_full = std::exchange(room.needs_all, false);
  auto changes = std::exchange(room.changes, {});
  if (is_full)
    changes = is_kept ? all_of(room) : std::vector<change>{};
  const decimal count{room.members.size()};
  const decimal grace{std::chrono::milliseconds{leave_grace}};
  std::vector<std::string_view> arguments{options_.node, name, is_full ? "full" : "delta",
                                          count.text(), is_told ? grace.text() : ""};
  std::vector<std::string> numbers;
  numbers.reserve(changes.size()); // the views need them to stay where they are
  std::vector<std::uint64_t> came;
  for (const auto& item : changes) {
    arguments.emplace_back(numbers.emplace_back(std::to_string(item.connection)));
    arguments.emplace_back(item.user);
    arguments.emplace_back(&item.how, 1);
    if (item.how == '+' || item.how == '?')
      came.push_back(item.connection);
  }
  const std::string_view keys[]{at.members, at.counts, at.users, at.grace, at.rooms_of_node};
  room.is_on_its_way = true;
  services_.shard.run(room_scripts().presence, keys, arguments,
                      [this, alive = std::weak_ptr<bool>{is_alive_}, name,
                       came = std::move(came)](redis_errc error, const redis_reply& reply) {
                        if (!alive.expired())
                          on_reply(name, came, error, reply);
                      });
}

void redis_presence::on_reply(const std::string& name, const std::vector<std::uint64_t>& came,
                              redis_errc error, const redis_reply& reply) {
  const auto known = rooms_.find(name);
  if (known == rooms_.end())
    return;
  auto& room = known->second;
  room.is_on_its_way = false;
  if (error != redis_errc::none || reply.is_error()) {
    if (reply.is_error())
      services_.complain(reply.text());
    room.needs_all = true;
    room.changes.clear();
    dirty_.insert(name); // at the next occasion
    return;
  }
  for (const auto connection : came)
    if (const auto here = room.members.find(connection); here != room.members.end())
      here->second.is_settled = true;
  if (options_.rules.announces(name))
    for (std::size_t i = 0; i + 1 < reply.size(); i += 2)
      tell(name, publication_kind::joined, static_cast<std::uint64_t>(reply[i].integer()),
           std::string{reply[i + 1].text()});
  if (room.members.empty() && room.changes.empty() && !dirty_.contains(name))
    rooms_.erase(known);
}

void redis_presence::send_all_again() {
  for (auto& [name, room] : rooms_) {
    room.needs_all = true;
    dirty_.insert(name);
  }
  send();
}

void redis_presence::begin_again() {
  ++life_;
  for (auto& [name, room] : rooms_)
    for (auto& [connection, who] : room.members)
      who.is_settled = false;
  send_all_again();
}

void redis_presence::expire() {
  const auto now = services_.now();
  while (!leaves_.empty() && leaves_.front().due <= now && services_.shard.can_command()) {
    auto leave = std::move(leaves_.front());
    leaves_.pop_front();
    if (is_uncertain(leave.room)) { // Redis may not know yet that it left
      leave.due = now + leave_retry;
      leaves_.push_back(std::move(leave));
      continue;
    }
    ask_leave(leave);
  }
}

bool redis_presence::is_uncertain(const std::string& name) const {
  const auto known = rooms_.find(name);
  return known != rooms_.end() && (known->second.is_on_its_way || dirty_.contains(name));
}

void redis_presence::ask_leave(const pending_leave& leave) {
  const presence_keys at{services_.prefix, leave.room, options_.node};
  const auto id = fmt::format("{}/{}", options_.node, leave.connection);
  const auto who = leave.user.empty() ? '\0' + id : leave.user;
  const std::string_view keys[]{at.grace};
  const std::string_view arguments[]{who, id};
  services_.shard.run(room_scripts().leave, keys, arguments,
                      [this, alive = std::weak_ptr<bool>{is_alive_},
                       leave](redis_errc error, const redis_reply& reply) {
                        if (alive.expired())
                          return;
                        if (error != redis_errc::none)
                          leaves_.push_front(leave);
                        else if (reply.integer() == 1)
                          tell(leave.room, publication_kind::left, leave.connection, leave.user);
                      });
}

void redis_presence::sweep(std::string_view room) {
  if (!options_.rules.announces(room) || !services_.shard.can_command())
    return;
  const presence_keys at{services_.prefix, room, options_.node};
  const std::string_view keys[]{at.grace};
  const std::string_view arguments[]{overdue_ms};
  services_.shard.run(room_scripts().sweep, keys, arguments,
                      [this, alive = std::weak_ptr<bool>{is_alive_},
                       name = std::string{room}](redis_errc error, const redis_reply& gone) {
                        if (alive.expired() || error != redis_errc::none)
                          return;
                        tell_gone(options_, tell_, name, gone);
                      });
}

void tell_gone(const presence_options& options, const redis_presence::tell_function& tell,
               std::string_view room, const redis_reply& gone) {
  if (!options.rules.announces(room))
    return;
  for (std::size_t i = 0; i + 1 < gone.size(); i += 2) {
    const auto id = gone[i].text();
    const present_member member{std::string{id}, std::string{id.substr(0, id.find('/'))},
                                std::string{gone[i + 1].text()}};
    tell(room, publication_kind::left, options.describe(member),
         fmt::format("leave:{}:{}", id, make_epoch()));
  }
}

void redis_presence::tell(std::string_view room, publication_kind kind, std::uint64_t connection,
                          const std::string& user) {
  present_member member{fmt::format("{}/{}", options_.node, connection), options_.node, user};
  auto key = (kind == publication_kind::joined ? "join:" : "leave:") + member.id;
  if (life_ != 0)
    key += fmt::format(":{}", life_); // an earlier one of the same connection was told
  tell_(room, kind, options_.describe(member), std::move(key));
}

/// What is on its way is overtaken by nothing: the link keeps the order. Leaves in their grace are told
/// by those who stay.
void redis_presence::clear() {
  for (auto& [name, room] : rooms_) {
    room.members.clear();
    room.changes.clear();
    room.needs_all = true;
    room.is_on_its_way = false;
    dirty_.insert(name);
  }
  leaves_.clear();
  send();
}

} // namespace canang::cluster
