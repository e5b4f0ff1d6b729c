#include "actors/connection_impl.hpp"
#include "actors/room.hpp"
#include "base/name_hash.hpp"
#include "cluster/who_text.hpp"
#include "net/http/target.hpp"

// A connection's memberships: how they begin, and how they end.

namespace canang::actors {

namespace {

std::uint32_t hash_of(std::string_view room) noexcept {
  return static_cast<std::uint32_t>(hash_of_name(room));
}

} // namespace

subscription* connection::find(subscription_id id) {
  return subscriptions_.find_if([id](const subscription& one) { return one.id == id; });
}

subscription* connection::find(std::string_view room, std::uint32_t name_hash) {
  return subscriptions_.find_if(
    [&](const subscription& one) { return one.name_hash == name_hash && name_of(one) == room; });
}

subscription* connection::find(std::string_view room) {
  return subscriptions_.empty() ? nullptr : find(room, hash_of(room));
}

/// The room has it, so that not each of its members has.
std::string_view connection::name_of(const subscription& one) {
  return one.wish ? std::string_view{one.wish->room}
                  : std::string_view{caf::actor_cast<actors::room*>(one.room)->room_name()};
}

// --- joining

void connection::on_command(net::join_command&& command) {
  pay_for_command();
  if (is_identifying_) { // its URL asks for it
    ensure_rare().early_joins.push_back(std::move(command));
    return;
  }
  const auto name_hash = hash_of(command.room);
  if (const auto why = fault_of(command, name_hash)) {
    fail({net::command_kind::join, *why, command.request, command.room});
    return;
  }
  talk_->heed(traits_of(command.room), command);
  ask_to_join(begin(std::move(command), name_hash));
}

subscription& connection::begin(net::join_command&& wanted, std::uint32_t name_hash) {
  subscription added;
  added.id = ++last_subscription_;
  added.name_hash = name_hash;
  added.echo = wanted.echo;
  added.wish = std::make_unique<join_wish>(join_wish{std::move(wanted)});
  return subscriptions_.add(std::move(added));
}

void connection::on_invited(const invitation& to) {
  const auto alive = caf::actor_cast<caf::actor>(this);
  enter([&] { begin_by_server(to); });
}

/// Nobody has to be asked. Where it cannot be, the client does not hear of it: who wanted it does, by the count.
void connection::begin_by_server(const invitation& to) {
  net::join_command wanted{.room = to.room};
  if (to.since)
    wanted.since = net::resume_position{to.since->epoch, to.since->offset};
  const auto name_hash = hash_of(to.room);
  if (!talk_->take_invitation(wanted) || fault_of(wanted, name_hash))
    return;
  auto& added = begin(std::move(wanted), name_hash);
  added.is_by_server = true;
  added.wish->tally = to.tally;
  join(added);
}

std::optional<net::command_fault> connection::fault_of(const net::join_command& wanted,
                                                       std::uint32_t name_hash) {
  if (!is_identified_)
    return net::command_fault::unidentified;
  if (!net::is_room_name(wanted.room))
    return net::command_fault::bad_room;
  if (find(wanted.room, name_hash) != nullptr)
    return net::command_fault::joined_before;
  if (subscriptions_.size() >= services_.context.limits.max_rooms_per_connection)
    return net::command_fault::too_many_rooms;
  return std::nullopt;
}

net::room_traits connection::traits_of(std::string_view room) const {
  if (services_.settings == nullptr)
    return {};
  const auto settings = services_.settings->get()->of(room);
  return {.is_positioned = settings.force_positioning,
          .is_recoverable = settings.force_recovery,
          .keeps_newest = settings.recovery == cluster::recovery_mode::cache,
          .offers_newest = settings.auto_recovery,
          .tells_changes = settings.delta == cluster::delta_type::fossil};
}

void connection::ask_to_join(subscription& wanted) {
  if (services_.authorizer == nullptr) {
    join(wanted);
    return;
  }
  if (!wanted.wish->token.empty()) {
    check_token_of_room(wanted);
    return;
  }
  services_.authorizer->decide(
    {.who = who(), .what = net::room_action::subscribe, .room = wanted.wish->room},
    continue_with([id = wanted.id](connection& self, net::verdict verdict) {
      self.on_join_verdict(id, verdict);
    }));
}

void connection::on_join_verdict(subscription_id id, net::verdict verdict) {
  auto* const asked = find(id);
  if (asked == nullptr || asked->stands != subscription::state::asking)
    return; // it has left
  if (verdict == net::verdict::ask)
    ask_hook_to_join(id);
  else if (verdict != net::verdict::allowed)
    on_join_failed({id, verdict == net::verdict::refused ? net::command_fault::not_allowed
                                                         : net::command_fault::unavailable});
  else if (!asked->wish->may_recover && wants_history(*asked->wish))
    ask_for_history(*asked);
  else
    join(*asked);
}

void connection::ask_for_history(subscription& wanted) {
  services_.authorizer->decide(
    {.who = who(), .what = net::room_action::history, .room = wanted.wish->room, .is_member = true},
    continue_with([id = wanted.id](connection& self, net::verdict verdict) {
      self.on_history_verdict(id, verdict);
    }));
}

/// Who may not see it joins without: nothing is recovered, and so it is told.
void connection::on_history_verdict(subscription_id id, net::verdict verdict) {
  auto* const asked = find(id);
  if (asked == nullptr || asked->stands != subscription::state::asking)
    return; // it has left
  if (verdict == net::verdict::unavailable) {
    on_join_failed({id, net::command_fault::unavailable});
    return;
  }
  if (verdict == net::verdict::refused) {
    asked->wish->history = 0;
    asked->wish->since.reset();
    asked->wish->newest_only = false;
  }
  join(*asked);
}

/// Who is banned there does not come in, whoever wants it.
void connection::join(subscription& wanted) {
  if (is_banned_from(wanted.wish->room)) {
    on_join_failed({wanted.id, net::command_fault::banned});
    return;
  }
  wanted.stands = subscription::state::joining;
  const auto& wish = *wanted.wish;
  join_room request;
  request.room = wish.room;
  request.ticket = std::make_shared<join_ticket>(caf::actor_cast<caf::actor>(this), wanted.id);
  request.loop = services_.loop;
  request.request = wish.request;
  request.note = wish.note;
  request.format = wish.format == nullptr ? &format_ : &wish.format->with(format_.packing);
  request.wanted.limit = wish.history;
  request.newest_only = wish.newest_only;
  if (wish.since)
    request.wanted.since = cluster::position{wish.since->epoch, wish.since->offset};
  request.who = cluster::who_text({who().user, who().info, wish.room_info});
  if (const auto ends = expiry_of(wanted.id); ends && !is_kept_by_hook(wanted))
    request.expires_in_s = seconds_until(*ends);
  request.is_entering = wish.is_entering;
  request.data = wish.told;
  if (!wanted.is_by_server)
    request.most_members = members_max_in(wish.room);
  send(services_.cast[home_of(wish.room, services_.cast.size())].directory, std::move(request));
}

void connection::on_join_failed(const join_failed& answer, const net::worded_fault* worded) {
  auto* const failed = find(answer.subscription);
  if (failed == nullptr || failed->is_joined())
    return;
  const auto wish = std::move(failed->wish);
  const bool is_awaited = !failed->is_by_server;
  subscriptions_.erase(*failed);
  if (is_awaited)
    fail({net::command_kind::join, answer.why, wish->request, wish->room, worded});
  if (wish->is_entering)
    on_not_entered(answer.why);
  drop_waiting(answer.subscription, answer.why, wish->room);
  ask_next();
}

bool connection::on_added(const add_member& request) {
  const auto alive = caf::actor_cast<caf::actor>(this);
  bool is_wanted = false;
  enter([&] {
    auto* const joined = find(request.subscription);
    is_wanted = joined != nullptr && joined->stands == subscription::state::joining;
    if (is_wanted)
      accept(*joined, request);
  });
  return is_wanted;
}

void connection::accept(subscription& joined, const add_member& request) {
  joined.room = request.handle;
  if (joined.wish->tally)
    joined.wish->tally->add();
  if (joined.wish->is_entering)
    rare_->enters->answering = joined.id;
  keep_room_info(joined.id, std::move(joined.wish->room_info));
  joined.wish.reset();
  joined.stands = subscription::state::joined;
  if (services_.authorizer == nullptr) {
    joined.may_publish = subscription::permission::allowed;
    note_limit(joined);
  }
  open();
  on_joined(joined);
  ask_next();
}

// --- leaving

void connection::on_command(const net::leave_command& command) {
  pay_for_command();
  auto* const found = find(command.room);
  if (!is_identified_ || found == nullptr) {
    fail({net::command_kind::leave,
          is_identified_ ? net::command_fault::not_joined : net::command_fault::unidentified,
          command.request, command.room});
    return;
  }
  leave(*found, command.room);
  tell([&](std::string& out) { talk_->encode_left(command, frames(), out); });
}

/// Nothing of the room follows.
void connection::leave(subscription& found, std::string_view room) {
  const auto left = std::move(found);
  subscriptions_.erase(found);
  keep_room_info(left.id, {});
  if (left.is_joined()) {
    services_.members.leave(left.room.id(), id(), left.id);
    send(left.room, leave_room{id(), left.id});
  } else {
    if (left.stands == subscription::state::joining) // the room may have it before it hears of this
      send(services_.cast[home_of(room, services_.cast.size())].directory,
           leave_room{id(), left.id, std::string{room}});
    if (!left.is_by_server)
      fail({net::command_kind::join, net::command_fault::left, left.wish->request, room});
    if (left.wish->is_entering)
      on_not_entered(net::command_fault::left);
  }
  drop_waiting(left.id, net::command_fault::left, room);
  ask_next();
}

/// It may come back at once, and is then a member like any other.
void connection::on_broken(subscription_id id) {
  const auto alive = caf::actor_cast<caf::actor>(this);
  enter([&] {
    auto* const found = find(id);
    if (found == nullptr)
      return;
    drop_waiting(id, net::command_fault::unavailable, name_of(*found));
    const auto ended = std::move(*found);
    subscriptions_.erase(*found);
    keep_room_info(id, {});
    send(ended.room, leave_room{this->id(), ended.id});
  });
}

void connection::on_removed(subscription_id id) {
  const auto alive = caf::actor_cast<caf::actor>(this);
  enter([&] {
    auto* const found = find(id);
    if (found == nullptr)
      return;
    drop_waiting(id, net::command_fault::not_joined, name_of(*found));
    subscriptions_.erase(*found);
    keep_room_info(id, {});
  });
}

} // namespace canang::actors
