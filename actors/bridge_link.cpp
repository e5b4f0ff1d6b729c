#include "actors/bridge_link.hpp"

#include <caf/send.hpp>

#include <utility>

namespace canang::actors {

bridge_link::bridge_link(caf::actor bridge, const caf::actor& room, std::string name,
                         cluster::room_subscriber& subscriber)
  : bridge_(std::move(bridge)), id_(room.id()), subscriber_(subscriber) {
  caf::anon_send(bridge_, bridge_open{std::move(name), room});
}

bridge_link::~bridge_link() { caf::anon_send(bridge_, bridge_close{id_}); }

void bridge_link::publish(std::shared_ptr<cluster::publication> message,
                          std::string_view idempotency_key) {
  caf::anon_send(bridge_, bridge_publish{id_, std::move(message), std::string{idempotency_key}});
}

void bridge_link::recover(const cluster::recover_request& request, cluster::page_handler handler) {
  waiting_.emplace(++last_request_, std::move(handler));
  caf::anon_send(bridge_, bridge_recover{id_, last_request_, request});
}

void bridge_link::note_member(const cluster::local_member& who, bool is_here) {
  caf::anon_send(bridge_, bridge_member{id_, who, is_here});
}

void bridge_link::on_mail(const bridge_publications& mail) {
  for (const auto& message : mail.messages)
    subscriber_.on_publication(message);
}

void bridge_link::on_mail(const bridge_break& mail) {
  subscriber_.on_break(mail.from, mail.is_lost);
}

void bridge_link::on_mail(const bridge_outcome& mail) { subscriber_.on_published(mail.outcome); }

void bridge_link::on_mail(bridge_page& mail) {
  if (auto answered = waiting_.extract(mail.request))
    answered.mapped()(std::move(mail.page));
}

} // namespace canang::actors
