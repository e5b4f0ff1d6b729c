#include "actors/room.hpp"

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

caf::behavior room::make_behavior() {
  services_.broker.subscribe(name_, *this);
  set_down_handler([this](const caf::down_msg& death) { drop_member(death.source.id()); });
  return {
    [this](join_room& request) { on_join(request); },
    [this](const leave_room& request) { on_leave(request.member); },
    [this](publish& request) { on_publish(request); },
  };
}

void room::on_exit() {
  services_.broker.unsubscribe(name_);
  services_.metrics.members.subtract(members_.size());
  members_.clear();
  unanswered_.clear();
  directory_ = nullptr;
}

void room::on_join(join_room& request) {
  ++joins_handled_;
  if (request.history == 0) {
    admit(request, {});
    return;
  }
  services_.broker.history(
    name_, request.history,
    [this, request](const cluster::history_page& page) { admit(request, page); });
}

void room::admit(const join_room& request, const cluster::history_page& page) {
  const auto id = request.connection.id();
  if (page.error != cluster::broker_errc::none) {
    send(request.connection, join_failed{page.error});
    if (members_.empty())
      send(directory_, room_empty{joins_handled_});
    return;
  }
  const auto [at, is_new] =
    members_.try_emplace(id, member{request.connection.address(), request.loop});
  if (!is_new)
    return;
  ++members_on_loop_[request.loop];
  services_.metrics.members.add(1);
  send(request.connection, joined{caf::actor_cast<caf::actor>(this)});
  send(services_.cast[request.loop].hub,
       add_member{this->id(), id, request.language, page.publications});
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

void room::drop_member(connection_id id) {
  const auto found = members_.find(id);
  if (found == members_.end())
    return;
  --members_on_loop_[found->second.loop];
  members_.erase(found);
  services_.metrics.members.subtract(1);
  if (members_.empty())
    send(directory_, room_empty{joins_handled_});
}

void room::on_publish(publish& request) {
  unanswered_.push_back(
    {current_sender(), static_cast<std::uint32_t>(request.message->data.size())});
  services_.broker.publish(name_, std::move(request.message), request.idempotency_key);
}

void room::on_publication(const cluster::publication_ptr& message) {
  services_.metrics.publications_total.add(1);
  for (std::uint32_t loop = 0; loop < members_on_loop_.size(); ++loop)
    if (members_on_loop_[loop] > 0)
      send(services_.cast[loop].hub, deliver{id(), message});
}

void room::on_published(const cluster::publish_outcome& outcome) {
  auto answered = std::move(unanswered_.front());
  unanswered_.pop_front();
  if (answered.publisher)
    send(caf::actor_cast<caf::actor>(answered.publisher), published{outcome, answered.bytes});
}

} // namespace canang::actors
