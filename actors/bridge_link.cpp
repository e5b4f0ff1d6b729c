#include "actors/bridge_link.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <utility>

namespace canang::actors {

bridge_link::bridge_link(caf::actor bridge, const caf::actor& room)
  : bridge_(std::move(bridge)), room_(room.address()), id_(room.id()) {}

void bridge_link::subscribe(std::string_view room, cluster::room_subscriber& subscriber) {
  subscriber_ = &subscriber;
  caf::anon_send(bridge_, bridge_open{std::string{room}, caf::actor_cast<caf::actor>(room_)});
}

void bridge_link::unsubscribe(std::string_view) {
  subscriber_ = nullptr;
  waiting_.clear();
  caf::anon_send(bridge_, bridge_close{id_});
  bridge_ = nullptr;
}

void bridge_link::publish(std::string_view, std::shared_ptr<cluster::publication> message,
                          std::string_view idempotency_key) {
  caf::anon_send(bridge_, bridge_publish{id_, std::move(message), std::string{idempotency_key}});
}

void bridge_link::recover(std::string_view, const cluster::recover_request& request,
                          history_handler handler) {
  waiting_.emplace(++last_request_, std::move(handler));
  caf::anon_send(bridge_, bridge_recover{id_, last_request_, request});
}

void bridge_link::note_member(std::string_view, const cluster::local_member& who, bool is_here) {
  caf::anon_send(bridge_, bridge_member{id_, who, is_here});
}

void bridge_link::report(std::string_view room, bool with_members, report_handler handler) {
  caf::anon_send(bridge_, room_query{std::string{room}, with_members, std::move(handler)});
}

void bridge_link::on_mail(const bridge_publications& mail) {
  for (const auto& message : mail.messages)
    if (subscriber_ != nullptr)
      subscriber_->on_publication(message);
}

void bridge_link::on_mail(const bridge_break& mail) {
  if (subscriber_ != nullptr)
    subscriber_->on_break(mail.from, mail.is_lost);
}

void bridge_link::on_mail(const bridge_outcome& mail) {
  if (subscriber_ != nullptr)
    subscriber_->on_published(mail.outcome);
}

void bridge_link::on_mail(bridge_page& mail) {
  if (auto answered = waiting_.extract(mail.request))
    answered.mapped()(std::move(mail.page));
}

} // namespace canang::actors
