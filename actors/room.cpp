#include "actors/room.hpp"

#include "actors/first_page.hpp"
#include "actors/interfaces.hpp"
#include "actors/room_gate.hpp"
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
    [this](const hub_reached& answer) { on_reached(answer.loop); },
    [this](const gate_due&) { go_on(); },
  }
    .unbox();
}

void room::on_exit() {
  for (const auto& [id, one] : members_) // a fault of ours: they are told, and come back
    if (!one.is_joining)
      note_gone(id, one.who);
  channel_ = nullptr;
  link_.reset();
  own_channel_.reset();
  members_.clear();
  drop_gate();
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
  ++joins_pending_;
  const auto wanted = wish_of(request);
  channel_->recover(wanted, [this, joiner = std::move(request)](cluster::history_page&& page) {
    --joins_pending_;
    on_page(joiner, std::move(page));
  });
}

void room::on_page(const join_room& request, cluster::history_page&& page) {
  const auto found = members_.find(request.ticket->connection().id());
  if (found == members_.end() || found->second.subscription != request.ticket->subscription()) {
    refuse(request, net::command_fault::left); // or dead: then nobody hears it
  } else if (found->second.is_expelled || page.error != cluster::broker_errc::none) {
    const auto why =
      found->second.is_expelled ? net::command_fault::not_allowed : net::command_fault::unavailable;
    demonitor(found->second.address);
    members_.erase(found);
    refuse(request, why);
  } else {
    admit(*found, request, std::move(page));
  }
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
                                                    .expires_in_s = request.expires_in_s});
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

void room::on_publish(publish& request) {
  services_.context.assert_on_loop();
  unanswered_.push_back({.publisher = current_sender(),
                         .bytes = static_cast<std::uint32_t>(request.message->data.size()),
                         .subscription = request.subscription,
                         .request = request.request,
                         .ticket = std::move(request.ticket)});
  if (has_waiting() || allowance_.is_used_up(services_.context.now()))
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

void room::answer(const cluster::publish_outcome& outcome) {
  auto answered = std::move(unanswered_.front());
  unanswered_.pop_front();
  if (answered.ticket)
    answered.ticket->settle();
  if (answered.publisher)
    send(caf::actor_cast<caf::actor>(answered.publisher),
         published{.outcome = outcome,
                   .bytes = answered.bytes,
                   .subscription = answered.subscription,
                   .request = answered.request});
  if (unanswered_.empty())
    tell_if_empty();
}

} // namespace canang::actors
