#include "actors/tickets.hpp"

#include "actors/messages.hpp"

#include <caf/send.hpp>

namespace canang::actors {

void join_ticket::refuse(net::command_fault why) {
  if (std::exchange(is_answered_, true))
    return;
  caf::anon_send(connection_, join_failed{subscription_, why});
}

publish_ticket::~publish_ticket() {
  if (is_answered_)
    return;
  published failed;
  failed.outcome.error = cluster::broker_errc::unavailable;
  failed.bytes = bytes_;
  failed.subscription = subscription_;
  failed.request = request_;
  caf::anon_send(publisher_, std::move(failed));
}

} // namespace canang::actors
