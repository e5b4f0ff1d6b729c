#include "actors/fanout.hpp"
#include "actors/outgoing.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

// Members that are told publications as what they change. Those of a format that have the last publication of the room
// share a group, and one change is encoded for all of them; those who have just come are told the next one whole, and
// at the end of the turn have what the others have.

namespace canang::actors {

namespace {

bool is_message(const cluster::publication& one) noexcept {
  return one.kind == cluster::publication_kind::message;
}

/// Of what it recovered the last message, or null.
const cluster::publication_ptr* last_message(const add_member& request) noexcept {
  const auto& all = request.recovered;
  const auto found =
    std::find_if(all.rbegin(), all.rend(), [](const auto& one) { return is_message(*one); });
  return found == all.rend() ? nullptr : &*found;
}

} // namespace

/// What a new member has been told last. What it recovered is what the others have where that has the same bytes,
/// whatever place in the order that has.
fanout::base fanout::base_of(local_room& room, const add_member& request) {
  if (!request.format->language.tells_changes())
    return base::any;
  room.tells_changes = true;
  if (room.is_dirty)
    flush_now(room); // so that all have what they were told
  const auto* const last = last_message(request);
  if (last == nullptr)
    return base::none;
  const bool is_first = std::all_of(room.groups.begin(), room.groups.end(), [](const group& one) {
    return one.told_last != base::shared || one.members.empty();
  });
  if (is_first)
    bases_.set(room.id, *last);
  const auto* const shared = bases_.of(room.id);
  const bool is_same =
    shared != nullptr && shared->type == (*last)->type && shared->data == (*last)->data;
  return is_same ? base::shared : base::none;
}

/// Appends a publication to the turn of a group that is told changes.
void fanout::encode_change(const local_room& room, group& target,
                           const cluster::publication& message) {
  using telling = net::outgoing_publication::telling;
  auto one = outgoing(message, room.name);
  if (is_message(message)) {
    one.told = telling::whole;
    target.is_told = true;
    const auto* const before =
      target.told_last == base::shared && message.data.size() <= net::max_change_bytes
        ? bases_.of(room.id)
        : nullptr;
    change_.clear();
    if (before != nullptr)
      target.format->language.encode_change(outgoing(*before, room.name), one, change_);
    if (!change_.empty()) {
      one.told = telling::change;
      one.change = change_;
    }
  }
  target.format->encode_of_turn(one, target.buffer->bytes());
}

/// Those who have been told a message have the same as all others.
void fanout::settle_newcomers(local_room& room) {
  for (std::size_t number = 0; number < room.groups.size(); ++number) {
    const bool is_told = std::exchange(room.groups[number].is_told, false);
    if (!is_told || room.groups[number].told_last != base::none)
      continue;
    const auto into = group_of(room, *room.groups[number].format, base::shared);
    auto& settled = room.groups[into].members;
    for (const auto& one : std::exchange(room.groups[number].members, {})) {
      auto& at = *sessions_.find(one.id)->second.memberships.find_if(
        [&](const membership& candidate) { return candidate.room == room.id; });
      at.group = static_cast<std::uint32_t>(into) & 0xFFU;
      at.position = static_cast<std::uint32_t>(settled.size()) & 0xFFFFFFU;
      settled.push_back(one);
    }
  }
}

/// Where nobody is told changes any more.
void fanout::let_go_base(local_room& room) {
  room.tells_changes = std::any_of(room.groups.begin(), room.groups.end(), [](const group& one) {
    return one.told_last != base::any && !one.members.empty();
  });
  if (room.tells_changes)
    return;
  bases_.let_go(room.id);
  for (auto& one : room.groups)
    one.is_told = false; // those who were told have gone: who comes is not them
}

} // namespace canang::actors
