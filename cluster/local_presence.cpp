#include "cluster/local_presence.hpp"

#include "base/glob.hpp"
#include "base/memory_cost.hpp"
#include "cluster/who_text.hpp"

#include <fmt/format.h>

#include <utility>

namespace canang::cluster {

namespace {

/// Of one that is there or in its grace, in a room in which that is told.
std::size_t user_cost(std::string_view user) noexcept {
  return name_map_entry_cost<std::uint64_t> + heap_of_text(user.size());
}

} // namespace

bool local_presence::note(std::string_view room, bool is_told, const local_member& who,
                          bool is_here, clock::time_point now) {
  const auto [known, is_new] = rooms_.try_emplace(std::string{room});
  if (is_new)
    texts_cost_ += heap_of(known->first);
  set_told(known->second, is_told);
  if (is_here)
    add(room, known->second, who);
  else
    remove(room, known->second, who, now);
  const auto& members = known->second;
  const bool is_anybody_there = !members.present.empty();
  if (!is_anybody_there && members.leaving.empty())
    forget(known);
  return is_anybody_there;
}

void local_presence::set_told(std::string_view room, bool is_told) {
  if (const auto known = rooms_.find(room); known != rooms_.end())
    set_told(known->second, is_told);
}

void local_presence::set_told(room_members& members, bool is_told) {
  if (std::exchange(members.is_told, is_told) == is_told)
    return;
  for (const auto& [user, count] : std::exchange(members.connections, {}))
    users_cost_ -= user_cost(user);
  if (!is_told)
    return;
  for (const auto& [connection, who] : members.present)
    if (const std::string name{read_who(who.str()).user};
        !name.empty() && ++members.connections[name] == 1)
      users_cost_ += user_cost(name);
}

/// Whom a leave is of: a user, or a connection without one.
std::string local_presence::leaver(std::uint64_t connection, std::string_view user) {
  return user.empty() ? '\0' + std::to_string(connection) : std::string{user};
}

/// @returns whether it was in its grace.
bool local_presence::stop_leaving(room_members& members, const std::string& who) {
  if (members.leaving.erase(who) == 0)
    return false;
  users_cost_ -= user_cost(who);
  return true;
}

void local_presence::forget(room_map::iterator room) {
  texts_cost_ -= heap_of(room->first);
  rooms_.erase(room);
}

void local_presence::add(std::string_view room, room_members& members, const local_member& who) {
  const auto [added, is_new] = members.present.emplace(who.id, rare_text{who.who});
  if (!is_new)
    return;
  ++member_count_;
  texts_cost_ += added->second.cost();
  const std::string user{read_who(who.who).user};
  const bool is_back = stop_leaving(members, leaver(who.id, user));
  if (!members.is_told)
    return;
  if (!user.empty()) {
    if (++members.connections[user] > 1)
      return;
    users_cost_ += user_cost(user);
  }
  if (!is_back)
    tell(room, publication_kind::joined, who.id, who.who);
}

void local_presence::remove(std::string_view room, room_members& members, const local_member& who,
                            clock::time_point now) {
  auto gone = members.present.extract(who.id);
  if (!gone)
    return;
  --member_count_;
  texts_cost_ -= gone.mapped().cost();
  if (!members.is_told)
    return;
  const auto& text = gone.mapped().str();
  const auto user = read_who(text).user;
  if (!user.empty()) {
    const auto connections = members.connections.find(user);
    if (--connections->second > 0)
      return;
    members.connections.erase(connections);
    users_cost_ -= user_cost(user);
  }
  const auto whose = leaver(who.id, user);
  const auto [waits, is_first] = members.leaving.try_emplace(whose);
  if (is_first)
    users_cost_ += user_cost(whose);
  waits->second = ++leave_count_;
  leaves_.push_back({now + leave_grace, std::string{room}, text, who.id, leave_count_});
  texts_cost_ += heap_of(leaves_.back().who);
}

void local_presence::expire(clock::time_point now) {
  give_back_buckets(rooms_);
  while (!leaves_.empty() && leaves_.front().due <= now) {
    const auto leave = std::move(leaves_.front());
    leaves_.pop_front();
    texts_cost_ -= heap_of(leave.who);
    const auto known = rooms_.find(leave.room);
    if (known == rooms_.end())
      continue;
    auto& members = known->second;
    const auto whose = leaver(leave.connection, read_who(leave.who).user);
    const auto waits = members.leaving.find(whose);
    if (waits == members.leaving.end() || waits->second != leave.number)
      continue; // it was back, and may have left again since
    members.leaving.erase(waits);
    users_cost_ -= user_cost(whose);
    if (members.present.empty() && members.leaving.empty())
      forget(known);
    tell(leave.room, publication_kind::left, leave.connection, leave.who);
  }
}

void local_presence::tell(std::string_view room, publication_kind kind, std::uint64_t connection,
                          std::string_view who) {
  const auto member = member_of(fmt::format("{}/{}", options_.node, connection), who);
  tell_(room, kind, options_.describe(member));
}

room_list local_presence::list(const room_list_request& wanted) const {
  room_list found;
  found.is_too_long = rooms_.size() > max_listed_from;
  for (auto at = rooms_.begin(); at != rooms_.end() && !found.is_too_long; ++at)
    if (const auto& [room, members] = *at;
        !members.present.empty() && matches_glob(wanted.pattern, room)) {
      found.rooms.emplace_back(room, members.present.size());
      found.is_too_long = found.rooms.size() > wanted.limit;
    }
  if (found.is_too_long)
    found.rooms.clear();
  return found;
}

std::size_t local_presence::cost() const noexcept {
  constexpr auto room_cost = name_map_entry_cost<room_members> + first_buckets_cost;
  constexpr auto member_cost = number_map_entry_cost<std::uint64_t, rare_text>;
  // a list's entry has two links beside what is in it
  constexpr auto leave_cost = allocated(sizeof(pending_leave) + 2 * sizeof(void*));
  return rooms_.size() * room_cost + member_count_ * member_cost + users_cost_
         + leaves_.size() * leave_cost + texts_cost_;
}

void local_presence::report(std::string_view room, bool with_members, room_report& into) const {
  const auto known = rooms_.find(room);
  if (known == rooms_.end() || known->second.present.empty())
    return;
  into.members_by_node.emplace_back(options_.node, known->second.present.size());
  if (!with_members)
    return;
  for (const auto& [connection, who] : known->second.present)
    add_member(into, member_of(fmt::format("{}/{}", options_.node, connection), who.str()));
}

} // namespace canang::cluster
