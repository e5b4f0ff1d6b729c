#include "actors/fanout.hpp"
#include "net/close_code.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

// Who is in which room, and what they are told of that.

namespace canang::actors {

namespace {

net::room_position position_of(const std::string& room, const cluster::position& at,
                               bool recovered) {
  return {room, at.epoch, at.offset, recovered};
}

} // namespace

void fanout::detach(connection_id id) {
  context_.assert_on_loop();
  users_.remove(id);
  const auto found = sessions_.find(id);
  if (found == sessions_.end())
    return;
  auto& memberships = found->second.memberships;
  if (memberships.size() > 1)
    gathered_.release(member_at(memberships.front()).place);
  memberships.for_each([this](const membership& at) { erase_member(at); });
  sessions_.erase(found);
}

// --- coming

void fanout::add(const add_member& request) {
  context_.assert_on_loop();
  auto* const who = ask_owner(request);
  if (who == nullptr)
    return; // died on the way, or has left; its room hears of it by itself
  const bool is_answered = who->owner != nullptr && who->owner->answers(request);
  if (!is_answered)
    answer_join(*who->session, request);
  const auto still = sessions_.find(request.member);
  if (still == sessions_.end())
    return; // the answer was the end of it
  const auto [at, is_new] = rooms_.try_emplace(request.room);
  auto& room = at->second;
  if (is_new) {
    room.id = request.room;
    room.name = request.room_name;
    heed_settings(room);
  }
  room.has_pages |= !is_answered && !request.recovered.empty();
  add_to_group(still->second, room, request);
}

/// The member's connection, if it wants to be a member.
fanout::connected* fanout::ask_owner(const add_member& request) {
  const auto found = sessions_.find(request.member);
  if (found == sessions_.end())
    return nullptr;
  if (found->second.owner == nullptr) {
    found->second.session->open();
    return &found->second;
  }
  if (!found->second.owner->on_added(request))
    return nullptr;
  const auto still = sessions_.find(request.member); // unless it has failed
  return still == sessions_.end() ? nullptr : &still->second;
}

void fanout::answer_join(net::session& session, const add_member& request) {
  const auto answer = context_.buffers.make();
  auto rest = pages_->source_of(request);
  const auto& format = *request.format;
  if (!rest || format.language.place_of_recovered() == net::recovered_in::messages)
    format.encode_join({.request = request.request,
                        .note = request.note,
                        .at = position_of(request.room_name, request.from, request.is_recovered),
                        .expires_in_s = request.expires_in_s,
                        .data = net::told(request.data)},
                       answer->bytes());
  session.send_reply(answer, std::move(rest));
}

void fanout::add_to_group(connected& who, local_room& room, const add_member& request) {
  if (room.may_lose && room.is_dirty)
    flush_now(room); // what waits for members is not theirs in part
  const auto& language = request.format->language;
  const auto number = group_of(room, *request.format, base_of(room, request));
  if (room.groups[number].buffer && request.format->frames.makes_one_of_turn())
    flush_now(room); // nobody can be given a part of it
  auto& to = room.groups[number];
  const auto present = to.buffer ? static_cast<std::uint32_t>(to.buffer->size()) : 0U;
  to.members.push_back(
    {.session = who.session.get(),
     .id = request.member,
     .lane = who.session->lane(),
     .starts_at = present,
     .place = place_for_next(who),
     .is_special = present != 0,
     .is_served = false,
     .counts_on_all = language.tells_changes() || language.counts_on_all(request.note),
     .is_leaving = false});
  membership added;
  added.room = request.room;
  added.subscription = request.subscription;
  added.group = static_cast<std::uint32_t>(number) & 0xFFU;
  added.position = static_cast<std::uint32_t>(to.members.size() - 1) & 0xFFFFFFU;
  who.memberships.add(added);
}

/// The number of the group, which is made where there is none.
std::size_t fanout::group_of(local_room& room, const net::wire_format& format, base told_last) {
  auto& all = room.groups;
  const auto found = std::find_if(all.begin(), all.end(), [&](const group& candidate) {
    return candidate.format == &format && candidate.told_last == told_last;
  });
  const auto number = static_cast<std::size_t>(found - all.begin());
  if (number == all.size())
    all.push_back({.format = &format, .told_last = told_last});
  return number;
}

/// Where a session's slices of several rooms are gathered, from its second room on.
turn_slices::place fanout::place_for_next(connected& who) {
  if (who.memberships.empty())
    return 0;
  auto& other = member_at(who.memberships.front());
  if (other.place == 0)
    other.place = gathered_.acquire();
  return other.place;
}

fanout::member& fanout::member_at(const membership& at) {
  return rooms_.find(at.room)->second.groups[at.group].members[at.position];
}

// --- going

fanout::membership* fanout::find_membership(connected& who, room_id room,
                                            subscription_id subscription) {
  return who.memberships.find_if(
    [&](const membership& at) { return at.room == room && at.subscription == subscription; });
}

void fanout::leave(room_id room, connection_id member, subscription_id subscription) {
  context_.assert_on_loop();
  const auto found = sessions_.find(member);
  if (found == sessions_.end())
    return;
  if (auto* const at = find_membership(found->second, room, subscription))
    end_membership(found->second, *at);
}

void fanout::remove(const remove_member& order) {
  context_.assert_on_loop();
  answers_.write();
  const auto found = sessions_.find(order.member);
  if (found == sessions_.end())
    return;
  auto& who = found->second;
  auto* const at = find_membership(who, order.room, order.subscription);
  if (at == nullptr)
    return; // it has left
  if (order.why) {
    auto& room = rooms_.find(order.room)->second;
    flush_now(room);
    if (!tell_end(*who.session, *room.groups[at->group].format, room.name, *order.why))
      who.session->close(order.why->code, order.why->text, net::close_reason::disconnected);
  }
  end_and_tell_owner(who, *at, &membership_owner::on_removed);
}

void fanout::end_room(room_id id, const removal& why) {
  context_.assert_on_loop();
  const auto found = rooms_.find(id);
  if (found == rooms_.end())
    return;
  auto& room = found->second;
  flush_now(room);
  std::vector<connection_id> told;
  for (const auto& target : room.groups) {
    for (const auto& to : target.members) {
      if (tell_end(*to.session, *target.format, room.name, why))
        told.push_back(to.id);
      else
        to.session->close(why.code, why.text, net::close_reason::handler_error);
    }
  }
  for (const auto who : told)
    if (const auto member = sessions_.find(who); member != sessions_.end()) // else it has failed
      unseat(member->second, id, &membership_owner::on_removed);
}

/// Ends the membership of that room, which is not by its owner's will.
void fanout::unseat(connected& who, room_id room, owner_call tell) {
  if (auto* const at =
        who.memberships.find_if([room](const membership& one) { return one.room == room; }))
    end_and_tell_owner(who, *at, tell);
}

/// Not by its owner's will.
void fanout::end_and_tell_owner(connected& who, membership& at, owner_call tell) {
  const auto subscription = at.subscription;
  auto* const owner = who.owner;
  end_membership(who, at);
  if (owner != nullptr)
    (owner->*tell)(subscription);
}

/// @returns false when the protocol has no word for it.
bool fanout::tell_end(net::session& session, const net::wire_format& format,
                      const std::string& room, const removal& why) {
  const auto word = context_.buffers.make();
  if (!format.encode_unsubscribed({room, why.code, why.text}, word->bytes()))
    return false;
  session.send(word, 0, word->size());
  return true;
}

void fanout::end_membership(connected& who, membership& at) {
  const auto ended = at;
  const auto place = member_at(ended).place;
  erase_member(ended);
  who.memberships.erase(at);
  if (who.memberships.size() != 1 || place == 0)
    return;
  gathered_.release(place);
  member_at(who.memberships.front()).place = 0;
}

/// Takes a member out of its group; the last member of the group takes its place.
void fanout::erase_member(const membership& at) {
  const auto found = rooms_.find(at.room);
  assert(found != rooms_.end());
  auto& room = found->second;
  auto& members = room.groups[at.group].members;
  if (room.may_lose) [[unlikely]]
    slow_.at(at.room)->leave(members[at.position].id);
  if (at.position + 1U != members.size()) {
    members[at.position] = members.back();
    auto& moved = sessions_.find(members.back().id)->second.memberships;
    moved.find_if([&](const membership& one) { return one.room == at.room; })->position =
      at.position;
  }
  members.pop_back();
  if (room.tells_changes)
    let_go_base(room);
  const bool is_empty = std::all_of(room.groups.begin(), room.groups.end(),
                                    [](const group& g) { return g.members.empty(); });
  if (is_empty) {
    slow_.erase(at.room);
    rooms_.erase(found);
  }
}

// --- what all members are told

void fanout::tell_break(const break_order& order) {
  context_.assert_on_loop();
  const auto found = rooms_.find(order.room);
  if (found == rooms_.end())
    return;
  auto& room = found->second;
  flush_now(room);
  if (room.may_lose)
    slow_.at(room.id)->part_here();
  const auto at = position_of(order.room_name, order.from, !order.is_lost);
  std::vector<connection_id> leaving;
  for (auto& target : room.groups) {
    if (target.format->language.after_a_break() == net::after_break::leaves)
      end_broken(target, order.room_name, leaving);
    else
      tell_break(room, target, at);
  }
  for (const auto who : leaving)
    if (const auto member = sessions_.find(who); member != sessions_.end())
      unseat(member->second, order.room, &membership_owner::on_broken);
}

void fanout::tell_break(const local_room& room, const group& target, const net::room_position& at) {
  const auto word = context_.buffers.make();
  const bool is_told = target.format->encode_break(at, word->bytes());
  const auto word_of_loss = room.may_lose && at.recovered ? encode_loss(target, at) : nullptr;
  for (const auto& to : target.members) {
    const bool is_lossy = word_of_loss && slow_.at(room.id)->may_lose(to.id);
    const auto& said = is_lossy ? word_of_loss : word;
    if (!is_told)
      to.session->close(net::messages_lost, "messages lost", net::close_reason::messages_lost);
    else if (said->size() > 0)
      to.session->send(said, 0, said->size());
  }
}

/// Those that are told to come back.
void fanout::end_broken(const group& target, const std::string& room,
                        std::vector<connection_id>& leaving) {
  const removal why{net::messages_lost, "messages lost"};
  for (const auto& to : target.members)
    if (tell_end(*to.session, *target.format, room, why))
      leaving.push_back(to.id);
    else
      to.session->close(why.code, why.text, net::close_reason::messages_lost);
}

void fanout::on_tick(net::loop_context::clock::time_point now) {
  context_.assert_on_loop();
  pages_->expire(now);
  heed_new_settings();
  users_.shrink();
  context_.metrics.users_memory_bytes.set(users_.cost());
}

} // namespace canang::actors
