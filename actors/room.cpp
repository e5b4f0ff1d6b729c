#include "actors/room.hpp"

#include "actors/first_page.hpp"
#include "actors/interfaces.hpp"
#include "actors/room_events.hpp"
#include "actors/room_gate.hpp"
#include "actors/slow_mode.hpp"
#include "cluster/who_text.hpp"
#include "net/close_code.hpp"
#include "net/limits.hpp"

#include <caf/actor_cast.hpp>

#include <utility>
#include <vector>

namespace canang::actors {

room::room(caf::actor_config& config, const room_services& services, std::string name,
           caf::actor directory)
  : pinned(config),
    services_(services),
    name_(std::move(name)),
    directory_(std::move(directory)),
    members_on_loop_(services.cast.size()) {}

room::~room() = default;

caf::behavior room::make_behavior() {
  if (services_.bridges.is_clustered()) {
    channel_ = &link_.emplace(services_.bridges.of(name_), caf::actor_cast<caf::actor>(this), name_,
                              static_cast<cluster::room_subscriber&>(*this));
  } else {
    own_channel_ = services_.broker.open(name_, *this);
    channel_ = own_channel_.get();
  }
  set_down_handler([this](const caf::down_msg& death) { drop_member(death.source.id()); });
  return interfaces::room::behavior_type{
    [this](join_room& request) { on_join(request); },
    [this](const leave_room& request) { on_leave(request); },
    [this](const expel_user& order) { on_expel(order); },
    [this](publish& request) { on_publish(request); },
    [this](const bridge_publications& mail) { link_->on_mail(mail); },
    [this](const bridge_break& mail) { link_->on_mail(mail); },
    [this](const bridge_outcome& mail) { link_->on_mail(mail); },
    [this](bridge_page& mail) { link_->on_mail(mail); },
    [this](members_counted& count) { on_counted(count); },
    [this](const hub_reached& answer) { on_reached(answer.loop); },
    [this](const gate_due&) { go_on(); },
  }
    .unbox();
}

void room::on_exit() {
  for (const auto& [id, one] : members_) // a fault of ours: they are told, and come back
    if (!one.is_joining)
      note_gone(id, one.who);
  if (is_told_)
    services_.events->note_vacated(name_);
  channel_ = nullptr;
  link_.reset();
  own_channel_.reset();
  members_.clear();
  drop_gate();
  give_turns_back();
  unanswered_.clear();
  directory_ = nullptr;
}

// --- coming

/// A second join of the same connection cannot come before it has left: it would be refused.
void room::on_join(join_room& request) {
  services_.context.assert_on_loop();
  ++joins_handled_;
  const auto& ticket = *request.ticket;
  const auto [at, is_new] = members_.try_emplace(
    ticket.connection().id(),
    member{ticket.connection().address(), rare_text{request.who}, ticket.subscription(),
           static_cast<std::uint16_t>(request.loop), true});
  if (!is_new) {
    refuse(request, net::command_fault::joined_before);
    return;
  }
  monitor(ticket.connection()); // of one that is dead already, the room is told at once
  if (request.most_members != 0)
    count_members(request);
  else
    recover(request);
}

/// Where there may be only so many: those of other nodes count, too.
void room::count_members(join_room& request) {
  if (members_.size() > request.most_members) {
    fail_join(request, net::command_fault::room_full);
    return;
  }
  if (!services_.bridges.is_clustered()) {
    recover(request);
    return;
  }
  ++joins_pending_;
  send(services_.bridges.of(name_),
       room_query{name_, false,
                  [self = caf::actor_cast<caf::actor>(this),
                   request = std::move(request)](cluster::room_report&& report) {
                    caf::anon_send(self, members_counted{request, std::move(report)});
                  }});
}

/// What this node has told Redis of its own may be older than what it knows.
void room::on_counted(members_counted& count) {
  --joins_pending_;
  std::uint64_t members = members_.size();
  for (const auto& [node, there] : count.report.members_by_node)
    if (node != services_.node)
      members += there;
  if (count.report.error != cluster::broker_errc::none)
    fail_join(count.request, net::command_fault::unavailable);
  else if (members > count.request.most_members)
    fail_join(count.request, net::command_fault::room_full);
  else
    recover(count.request);
}

void room::recover(join_room& request) {
  ++joins_pending_;
  const auto wanted = wish_of(request);
  channel_->recover(wanted, [this, joiner = std::move(request)](cluster::history_page&& page) {
    --joins_pending_;
    on_page(joiner, std::move(page));
  });
}

void room::on_page(const join_room& request, cluster::history_page&& page) {
  const auto found = members_.find(request.ticket->connection().id());
  if (found == members_.end() || found->second.subscription != request.ticket->subscription())
    refuse(request, net::command_fault::left); // or dead: then nobody hears it
  else if (found->second.is_expelled || page.error != cluster::broker_errc::none)
    fail_join(request, found->second.is_expelled ? net::command_fault::not_allowed
                                                 : net::command_fault::unavailable);
  else
    admit(*found, request, std::move(page));
}

/// Of one that may have left meanwhile.
void room::fail_join(const join_room& request, net::command_fault why) {
  const auto found = members_.find(request.ticket->connection().id());
  if (found != members_.end() && found->second.subscription == request.ticket->subscription()) {
    demonitor(found->second.address);
    members_.erase(found);
  }
  refuse(request, why);
}

void room::refuse(const join_room& request, net::command_fault why) {
  request.ticket->refuse(why);
  tell_if_empty();
}

/// A join that waits for the broker counts as a member: the room must not be reaped under it. Nor with publishes
/// that wait, though their publishers are gone, nor before those are answered whose publishers may only have left.
void room::tell_if_empty() {
  if (members_.empty() && joins_pending_ == 0 && !has_waiting() && unanswered_.empty())
    send(directory_, room_empty{joins_handled_});
}

void room::admit(member_map::value_type& joiner, const join_room& request,
                 cluster::history_page&& page) {
  auto& [id, member] = joiner;
  member.is_joining = false;
  ++members_on_loop_[request.loop];
  services_.metrics.members.add(1);
  if (!is_told_ && services_.events != nullptr)
    is_told_ = services_.events->note_occupied(name_);
  services_.metrics.room_actors_memory_bytes.add(member.who.cost());
  auto from = cut_to_wish(request, page);
  if (request.wanted.since || request.newest_only) {
    auto& counted =
      page.recovered ? services_.metrics.recovered_total : services_.metrics.not_recovered_total;
    counted.add(1);
  }
  request.ticket->accept();
  send(services_.cast[request.loop].hub, add_member{.room = this->id(),
                                                    .member = id,
                                                    .format = request.format,
                                                    .recovered = std::move(page.publications),
                                                    .room_name = name_,
                                                    .from = std::move(from),
                                                    .is_recovered = page.recovered,
                                                    .subscription = member.subscription,
                                                    .request = request.request,
                                                    .handle = caf::actor_cast<caf::actor>(this),
                                                    .note = request.note,
                                                    .expires_in_s = request.expires_in_s,
                                                    .data = request.data});
  channel_->note_member({id, request.who}, true);
}

// --- going

void room::on_leave(const leave_room& request) {
  const auto found = members_.find(request.member);
  if (found != members_.end() && found->second.subscription == request.subscription)
    let_go(*found, std::nullopt);
}

/// Takes out one that has left, or, where there is a reason, is removed.
void room::let_go(member_map::value_type& leaving, std::optional<removal> why) {
  const auto& [who, one] = leaving;
  demonitor(one.address);
  if (!one.is_joining)
    send(services_.cast[one.loop].hub, remove_member{id(), who, one.subscription, std::move(why)});
  drop_member(who);
}

void room::on_expel(const expel_user& order) {
  std::vector<connection_id> theirs;
  for (const auto& [id, one] : members_)
    if (cluster::read_who(one.who.str()).user == order.user && order.which.has(id))
      theirs.push_back(id);
  for (const auto id : theirs)
    expel(id, {net::force_disconnect, "removed from the room"});
  send(order.ticket.to, control_part{order.ticket.id, theirs.size()});
}

/// One whose join is on its way is not a member yet: it is refused, as soon as that is answered.
void room::expel(connection_id who, const removal& why) {
  const auto found = members_.find(who);
  if (found == members_.end())
    return;
  if (found->second.is_joining)
    found->second.is_expelled = true;
  else
    let_go(*found, why);
}

void room::drop_member(connection_id id) {
  const auto found = members_.find(id);
  if (found == members_.end())
    return;
  if (!found->second.is_joining) {
    --members_on_loop_[found->second.loop];
    note_gone(id, found->second.who);
  }
  members_.erase(found);
  tell_if_empty();
}

void room::note_gone(connection_id id, const rare_text& who) {
  channel_->note_member({id, who.str()}, false);
  services_.metrics.room_actors_memory_bytes.subtract(who.cost());
  services_.metrics.members.subtract(1);
}

// --- publications

/// What has to wait in slow mode is not published, and answered in its place.
void room::on_publish(publish& request) {
  services_.context.assert_on_loop();
  const bool is_paced = request.pace && services_.paces != nullptr;
  const bool is_refused = is_paced && has_to_wait(request);
  unanswered_.push_back({.publisher = current_sender(),
                         .bytes = static_cast<std::uint32_t>(request.message->data.size()),
                         .subscription = request.subscription,
                         .request = request.request,
                         .is_paced = is_paced,
                         .ticket = std::move(request.ticket)});
  if (is_refused)
    answer_refused();
  else if (has_waiting() || allowance_.is_used_up(services_.context.now()))
    keep_waiting(request);
  else
    pass_on(request);
}

void room::on_publication(const cluster::publication_ptr& message) {
  services_.context.assert_on_loop();
  services_.metrics.publications_total.add(1);
  const auto cost = cost_in_flight(*message);
  for (std::uint32_t loop = 0; loop < members_on_loop_.size(); ++loop) {
    if (members_on_loop_[loop] == 0)
      continue;
    const auto& to = services_.cast[loop];
    const auto backlog = to.backlog->add(cost);
    send(to.hub, deliver{id(), message});
    if (backlog > net::max_backlog_bytes)
      note_lag(loop);
  }
}

void room::on_break(const cluster::position& from, bool is_lost) {
  for (std::uint32_t loop = 0; loop < members_on_loop_.size(); ++loop)
    if (members_on_loop_[loop] > 0)
      send(services_.cast[loop].hub, break_order{id(), name_, from, is_lost});
}

void room::on_published(const cluster::publish_outcome& outcome) {
  if (may_answer())
    answer(outcome);
  else
    hold(outcome);
}

/// That of the oldest one that the broker has; with it those are through that were refused behind it.
void room::answer(const cluster::publish_outcome& outcome) {
  answer_oldest(outcome);
  answer_refused();
  if (unanswered_.empty())
    tell_if_empty();
}

void room::answer_oldest(const cluster::publish_outcome& outcome) {
  auto answered = std::move(unanswered_.front());
  unanswered_.pop_front();
  std::chrono::milliseconds wait{0};
  if (answered.is_paced) {
    const auto verdict = take_oldest_verdict();
    wait = verdict.wait;
    services_.paces->settle(verdict.taken, outcome.error == cluster::broker_errc::none);
  }
  if (answered.ticket)
    answered.ticket->settle();
  if (answered.publisher)
    send(caf::actor_cast<caf::actor>(answered.publisher),
         published{.outcome = outcome,
                   .bytes = answered.bytes,
                   .subscription = answered.subscription,
                   .request = answered.request,
                   .wait = wait});
}

// --- slow mode

/// In `paced_` it is told how long, or which turn it has taken.
bool room::has_to_wait(const publish& request) {
  if (!paced_)
    paced_ = std::make_unique<verdicts>();
  paced_->push_back(services_.paces->claim(name_, request.pace->who, request.pace->interval,
                                           request.idempotency_key, services_.context.now()));
  return paced_->back().is_refused();
}

bool room::is_oldest_refused() const {
  return !unanswered_.empty() && unanswered_.front().is_paced && paced_->front().is_refused();
}

/// Those that wait for no other answer any more. So the oldest one that is left is one that the broker answers.
void room::answer_refused() {
  while (is_oldest_refused())
    answer_oldest({});
}

pace_verdict room::take_oldest_verdict() {
  const auto oldest = paced_->front();
  paced_->pop_front();
  return oldest;
}

/// Of publishes that are not answered, since the room ends. Their senders are told that they may try again.
void room::give_turns_back() {
  if (!paced_)
    return;
  for (const auto& verdict : *paced_)
    services_.paces->settle(verdict.taken, false);
  paced_.reset();
}

} // namespace canang::actors
