#include "actors/connection_impl.hpp"
#include "actors/moderation_rules.hpp"
#include "net/close_code.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

// What moderators have decided of a client: who is not let in, who may not publish, and when it is told.

namespace canang::actors {

namespace {

using fault = net::command_fault;
using cluster::act_kind;

/// A slow mode's wait as it is told, rounded up to what people count in.
std::string told_wait(std::chrono::milliseconds wait) {
  return fmt::format("slow mode: {} s to wait",
                     std::chrono::ceil<std::chrono::seconds>(wait).count());
}

std::optional<cluster::moderated> counted_as(fault why) noexcept {
  switch (why) {
  case fault::banned: return cluster::moderated::banned;
  case fault::muted: return cluster::moderated::muted;
  case fault::locked: return cluster::moderated::locked;
  case fault::too_soon: return cluster::moderated::slow_mode;
  case fault::room_full: return cluster::moderated::room_full;
  default: return std::nullopt;
  }
}

} // namespace

/// Without a room: what holds everywhere. Null: there is none, or nobody has any.
cluster::act_ptr connection::act_against(act_kind kind, std::string_view user,
                                         std::string_view room) const {
  auto* const rules = services_.moderation;
  if (rules == nullptr || rules->is_quiet() || !session_)
    return nullptr;
  cluster::act_question asked{.user = user, .room = room};
  if (rules->asks_for_addresses())
    asked.address = address_in(session_->peer());
  return rules->find(kind, asked, services_.context.now());
}

bool connection::is_banned_from(std::string_view room) const {
  return act_against(act_kind::ban, who().user, room) != nullptr;
}

/// The rules for chats do not bind it in that room; what somebody decided of itself does.
bool connection::moderates(std::string_view room) const {
  const auto& grants = who().grants;
  return std::any_of(grants.begin(), grants.end(), [room](const net::token_grant& one) {
    return one.covers(room, net::token_grant::moderate);
  });
}

/// Why it may not publish in a room at present, whatever its settings say.
std::optional<fault> connection::silenced_in(std::string_view room) const {
  auto* const rules = services_.moderation;
  if (rules == nullptr || rules->is_quiet())
    return std::nullopt;
  if (is_banned_from(room))
    return fault::banned;
  if (act_against(act_kind::mute, who().user, room))
    return fault::muted;
  if (rules->find_lockdown(room, services_.context.now()) && !moderates(room))
    return fault::locked;
  return std::nullopt;
}

/// What a client is told beside the fault; empty where the fault says all.
std::string connection::reason_told(fault why, std::string_view room) const {
  cluster::act_ptr act;
  switch (why) {
  case fault::banned: act = act_against(act_kind::ban, who().user, room); break;
  case fault::muted: act = act_against(act_kind::mute, who().user, room); break;
  case fault::locked:
    act = services_.moderation->find_lockdown(room, services_.context.now());
    break;
  case fault::too_soon: return "slow mode";
  case fault::room_full: return "the room is full";
  default: return {};
  }
  if (act)
    return cluster::told_to_client(*act);
  return why == fault::banned  ? "banned"
         : why == fault::muted ? "muted"
                               : "locked"; // it has just ended
}

void connection::note_refused(fault why) {
  if (const auto counted = counted_as(why); counted && services_.moderation != nullptr)
    services_.moderation->note(*counted);
}

/// It has said who it is, and is not let in. @returns false where it is.
bool connection::is_shut_out(std::string_view user) {
  const auto ban = act_against(act_kind::ban, user, {});
  if (!ban)
    return false;
  note_refused(fault::banned);
  if (rare_)
    rare_->early_joins.clear();
  drop_rare_if_empty();
  end_with(net::banned, cluster::told_to_client(*ban), net::close_reason::disconnected);
  return true;
}

/// Closes it, also where it is not open yet and learns the reason by that.
void connection::end_with(std::uint16_t code, std::string_view text, net::close_reason why) {
  say_all();
  if (!is_opened_ && !talk_->learns_by_close()) {
    session_->refuse(why == net::close_reason::join_failed ? net::reject_reason::unavailable
                                                           : net::reject_reason::forbidden);
    return;
  }
  open();
  session_->close(code, text, why);
}

// --- while it is there

std::size_t connection::on_moderated() {
  const auto alive = caf::actor_cast<caf::actor>(this);
  std::size_t ended = 0;
  enter([&] {
    if (session_ && is_identified_)
      ended = end_what_is_banned();
  });
  return ended;
}

/// All of it, or its memberships of some rooms.
std::size_t connection::end_what_is_banned() {
  if (const auto ban = act_against(act_kind::ban, who().user, {})) {
    end_with(net::banned, cluster::told_to_client(*ban), net::close_reason::disconnected);
    return 1;
  }
  std::vector<subscription_id> banned;
  subscriptions_.for_each([&](const subscription& one) {
    if (is_banned_from(name_of(one)))
      banned.push_back(one.id);
  });
  for (const auto id : banned)
    end_membership(id);
  return banned.size();
}

/// One that the room has not answered yet fails, and the room is told.
void connection::end_membership(subscription_id id) {
  auto* const found = find(id);
  if (found == nullptr || !session_)
    return;
  const std::string room{name_of(*found)};
  if (!found->is_joined()) {
    if (found->stands == subscription::state::joining)
      send(services_.cast[home_of(room, services_.cast.size())].directory,
           leave_room{this->id(), id, room});
    on_join_failed({id, fault::banned});
    return;
  }
  const auto text = reason_told(fault::banned, room);
  leave(*found, room);
  bool is_told = false;
  tell([&](std::string& out) {
    is_told = format_.language.encode_unsubscribed(
      {.room = room, .code = net::banned, .text = text}, frames(), out);
  });
  if (!is_told)
    session_->close(net::banned, text, net::close_reason::disconnected);
}

// --- slow mode, and how many there may be

/// What a publish has to wait for in a room of slow mode; null in others.
std::shared_ptr<const publish_pace> connection::pace_in(std::string_view room) const {
  if (services_.settings == nullptr)
    return nullptr;
  const auto interval = services_.settings->get()->of(room).slow_mode;
  if (interval.count() == 0 || moderates(room))
    return nullptr;
  auto pace = std::make_shared<publish_pace>(publish_pace{who().user, interval});
  if (pace->who.empty())
    pace->who.append(1, '\n').append(std::to_string(id())); // in no user's name
  return pace;
}

/// How many members there may be when it has joined; 0: as many as want.
std::uint32_t connection::members_max_in(std::string_view room) const {
  if (services_.settings == nullptr)
    return 0;
  const auto most = services_.settings->get()->of(room).members_max;
  return most == 0 || moderates(room)
           ? 0U
           : static_cast<std::uint32_t>(std::min<std::size_t>(most, UINT32_MAX));
}

void connection::tell_too_soon(const published& answer) {
  const auto* const to = find(answer.subscription);
  const auto text = told_wait(answer.wait);
  fail({.what = net::command_kind::publish,
        .why = fault::too_soon,
        .request = answer.request,
        .room = to == nullptr ? std::string_view{} : name_of(*to),
        .text = text});
}

} // namespace canang::actors
