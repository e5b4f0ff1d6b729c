#include "actors/room.hpp"

#include "actors/room_gate.hpp"
#include "net/auth/decide_now.hpp"

#include <caf/actor_cast.hpp>

#include <utility>

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
  return {
    [this](join_room& request) { on_join(request); },
    [this](const leave_room& request) { on_leave(request.member); },
    [this](const expel_user& order) { on_expel(order); },
    [this](publish& request) { on_publish(request); },
    [this](const bridge_publications& mail) { link_->on_mail(mail); },
    [this](const bridge_break& mail) { link_->on_mail(mail); },
    [this](const bridge_outcome& mail) { link_->on_mail(mail); },
    [this](bridge_page& mail) { link_->on_mail(mail); },
    [this](const hub_reached& answer) { on_reached(answer.loop); },
    [this](const gate_due&) { go_on(); },
  };
}

void room::on_exit() {
  for (const auto& [id, one] : members_) { // a fault of ours: they are disconnected, and come back
    channel_->note_member({id, one.user.str()}, false);
    services_.metrics.room_actors_memory_bytes.subtract(one.user.cost());
  }
  channel_ = nullptr;
  link_.reset();
  own_channel_.reset();
  services_.metrics.members.subtract(members_.size());
  members_.clear();
  drop_gate();
  unanswered_.clear();
  directory_ = nullptr;
}

void room::on_join(join_room& request) {
  ++joins_handled_;
  ++joins_pending_;
  const auto wanted = request.wanted;
  channel_->recover(wanted, [this, joiner = std::move(request)](cluster::history_page&& page) {
    --joins_pending_;
    if (page.error != cluster::broker_errc::none)
      refuse(joiner);
    else
      admit(joiner, std::move(page));
  });
}

void room::refuse(const join_room& request) {
  send(request.connection, join_failed{});
  tell_if_empty();
}

/// A join that waits for the broker counts as a member: the room must not be reaped under it. Nor with publishes
/// that wait, though their publishers are gone.
void room::tell_if_empty() {
  if (members_.empty() && joins_pending_ == 0 && !has_waiting())
    send(directory_, room_empty{joins_handled_});
}

void room::admit(const join_room& request, cluster::history_page&& page) {
  const auto id = request.connection.id();
  const auto [at, is_new] = members_.try_emplace(
    id, member{request.connection.address(), request.loop, rare_text{request.user}});
  if (!is_new)
    return;
  ++members_on_loop_[request.loop];
  services_.metrics.members.add(1);
  services_.metrics.room_actors_memory_bytes.add(at->second.user.cost());
  send(request.connection, joined{caf::actor_cast<caf::actor>(this)});
  auto& from = page.top;
  if (page.recovered)
    from.offset = request.wanted.since->offset;
  else if (!page.publications.empty())
    from.offset = page.publications.front()->offset - 1;
  if (request.wanted.since) {
    auto& counted =
      page.recovered ? services_.metrics.recovered_total : services_.metrics.not_recovered_total;
    counted.add(1);
  }
  send(services_.cast[request.loop].hub,
       add_member{this->id(), id, request.language, std::move(page.publications), name_,
                  std::move(from), page.recovered});
  channel_->note_member({id, request.user}, true);
  monitor(request.connection); // last: of one that is dead already, the room is told at once
}

void room::on_leave(connection_id id) {
  const auto found = members_.find(id);
  if (found == members_.end())
    return;
  demonitor(found->second.address);
  send(services_.cast[found->second.loop].hub, remove_member{this->id(), id});
  drop_member(id);
}

/// The presence is told as when they had left by themselves.
void room::on_expel(const expel_user& order) {
  std::vector<connection_id> theirs;
  for (const auto& [id, one] : members_)
    if (one.user.str() == order.user)
      theirs.push_back(id);
  for (const auto id : theirs) {
    const auto& hub = services_.cast[members_.find(id)->second.loop].hub;
    on_leave(id);
    send(hub, close_expelled{id});
  }
  send(order.ticket.to, control_part{order.ticket.id, theirs.size()});
}

void room::drop_member(connection_id id) {
  const auto found = members_.find(id);
  if (found == members_.end())
    return;
  --members_on_loop_[found->second.loop];
  channel_->note_member({id, found->second.user.str()}, false);
  services_.metrics.room_actors_memory_bytes.subtract(found->second.user.cost());
  members_.erase(found);
  services_.metrics.members.subtract(1);
  tell_if_empty();
}

/// Why a message of a member is not taken, if so. The settings are asked when they have changed, not for each.
publish_refusal room::refusal_of(std::size_t bytes) {
  if (services_.settings != nullptr && services_.settings->generation() != rules_of_) {
    rules_of_ = services_.settings->generation(); // before they are read: those are of it, or newer
    max_message_bytes_ = services_.settings->get()->of(name_).max_message_bytes;
    may_be_published_to_ =
      services_.access == nullptr
      || net::decide_now(*services_.access,
                         {net::identity{}, net::room_action::publish, name_, true});
  }
  if (!may_be_published_to_)
    return publish_refusal::not_allowed;
  return bytes > max_message_bytes_ ? publish_refusal::too_large : publish_refusal::none;
}

void room::on_publish(publish& request) {
  const auto bytes = request.message->data.size();
  if (const auto why = refusal_of(bytes); why != publish_refusal::none) {
    if (const auto publisher = current_sender())
      send(caf::actor_cast<caf::actor>(publisher),
           published{{}, static_cast<std::uint32_t>(bytes), why});
    return;
  }
  unanswered_.push_back(
    {current_sender(), static_cast<std::uint32_t>(request.message->data.size())});
  if (has_waiting() || allowance_.is_used_up(services_.context.now()))
    keep_waiting(request);
  else
    pass_on(request);
}

void room::on_publication(const cluster::publication_ptr& message) {
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
  if (answered.publisher)
    send(caf::actor_cast<caf::actor>(answered.publisher), published{outcome, answered.bytes});
}

} // namespace canang::actors
