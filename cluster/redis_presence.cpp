#include "cluster/redis_presence.hpp"

#include "cluster/room_scripts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace canang::cluster {

namespace {

constexpr std::size_t most_spare_changes = 64;

} // namespace

presence_keys::presence_keys(std::string_view prefix, std::string_view room,
                             std::string_view node) {
  const auto partition = partition_of(room);
  members = redis_key(prefix, partition, "p", room);
  counts = redis_key(prefix, partition, "n", room);
  users = redis_key(prefix, partition, "u", room);
  grace = redis_key(prefix, partition, "g", room);
  rooms_of_node = redis_key(prefix, partition, "r", node);
  answered = redis_key(prefix, partition, "a", fmt::format("{}:{}", node, room));
}

redis_presence::redis_presence(redis_room_services& services, const presence_options& options,
                               tell_function tell)
  : services_(services),
    options_(options),
    tell_(std::move(tell)),
    leaves_(services, options, tell_) {}

void redis_presence::note(std::string_view room, const local_member& who, bool is_here) {
  auto& target = rooms_.try_emplace(std::string{room}).first->second;
  const bool is_told = options_.rules.announces(room);
  const bool is_kept = is_told || options_.rules.keeps_presence(room);
  if (is_here) {
    target.members.try_emplace(who.id, member{who.user, is_kept ? '+' : '='});
    if (is_kept)
      target.changes.push_back({who.id, who.user, '+'});
  } else if (auto gone = target.members.extract(who.id)) {
    auto& user = gone.mapped().user;
    if (is_told)
      leaves_.wait(room, {id_of(who.id), user, key_of("leave", who.id)},
                   services_.now() + leave_grace);
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
    all.push_back({connection, who.user, who.how});
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
  const auto number = ++calls_;
  const decimal this_call{number};
  const decimal unheard{room.unheard == 0 ? number : room.unheard};
  std::vector<std::string_view> arguments{options_.node,
                                          name,
                                          is_full ? "full" : "delta",
                                          count.text(),
                                          is_told ? grace.text() : "",
                                          this_call.text(),
                                          unheard.text()};
  std::vector<std::string> numbers;
  numbers.reserve(changes.size()); // the views need them to stay where they are
  std::vector<std::uint64_t> came;
  for (const auto& item : changes) {
    arguments.emplace_back(numbers.emplace_back(std::to_string(item.connection)));
    arguments.emplace_back(item.user);
    arguments.emplace_back(&item.how, 1);
    if (item.how == '+' || item.how == '!')
      came.push_back(item.connection);
  }
  const std::string_view keys[]{at.members, at.counts,        at.users,
                                at.grace,   at.rooms_of_node, at.answered};
  room.is_on_its_way = true;
  services_.shard.run(room_scripts().presence, keys, arguments,
                      [this, alive = std::weak_ptr<bool>{is_alive_}, name, number,
                       came = std::move(came)](redis_errc error, const redis_reply& reply) {
                        if (!alive.expired())
                          on_reply(name, number, came, error, reply);
                      });
}

void redis_presence::on_reply(const std::string& name, std::uint64_t number,
                              const std::vector<std::uint64_t>& came, redis_errc error,
                              const redis_reply& reply) {
  const auto known = rooms_.find(name);
  if (known == rooms_.end())
    return;
  auto& room = known->second;
  room.is_on_its_way = false;
  if (error != redis_errc::none || reply.is_error()) {
    if (reply.is_error())
      services_.complain(reply.text());
    room.unheard = room.unheard == 0 ? number : room.unheard;
    room.needs_all = true;
    room.changes.clear();
    dirty_.insert(name); // at the next occasion
    return;
  }
  room.unheard = 0;
  for (const auto connection : came)
    if (const auto here = room.members.find(connection); here != room.members.end())
      here->second.how = '=';
  if (options_.rules.announces(name))
    for (std::size_t i = 0; i + 1 < reply.size(); i += 2)
      tell_joined(name, static_cast<std::uint64_t>(reply[i].integer()),
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
      who.how = '!';
  send_all_again();
}

void redis_presence::expire() {
  leaves_.ask([this](const std::string& room) { return is_uncertain(room); });
}

bool redis_presence::is_uncertain(const std::string& name) const {
  const auto known = rooms_.find(name);
  return known != rooms_.end() && (known->second.is_on_its_way || dirty_.contains(name));
}

void redis_presence::tell_joined(std::string_view room, std::uint64_t connection,
                                 std::string&& user) {
  const present_member member{id_of(connection), options_.node, std::move(user)};
  tell_(room, publication_kind::joined, options_.describe(member), key_of("join", connection));
}

std::string redis_presence::id_of(std::uint64_t connection) const {
  return fmt::format("{}/{}", options_.node, connection);
}

std::string redis_presence::key_of(std::string_view what, std::uint64_t connection) const {
  auto key = fmt::format("{}:{}", what, id_of(connection));
  if (life_ != 0)
    key += fmt::format(":{}", life_); // an earlier one of the same connection was told
  return key;
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
