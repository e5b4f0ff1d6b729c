#include "tests/support/sim_broker.hpp"

#include <stdexcept>
#include <utility>

namespace canang::sim {

namespace {

bool take(std::string& fault, std::string_view room) {
  if (fault.empty() || fault != room)
    return false;
  fault.clear();
  return true;
}

} // namespace

void sim_broker::subscribe(std::string_view room, cluster::room_subscriber& subscriber) {
  ++subscribers_;
  inner_.subscribe(room, subscriber);
}

void sim_broker::unsubscribe(std::string_view room) {
  --subscribers_;
  std::erase_if(pending_, [&](const pending_answer& one) { return one.room == room; });
  inner_.unsubscribe(room);
}

void sim_broker::publish(std::string_view room, std::shared_ptr<cluster::publication> message,
                         std::string_view idempotency_key) {
  if (take(throws_at_publish_, room))
    throw std::runtime_error{"the broker failed"};
  record_[std::string{room}].push_back(message);
  inner_.publish(room, std::move(message), idempotency_key);
}

void sim_broker::recover(std::string_view room, const cluster::recover_request& request,
                         history_handler handler) {
  const bool reads = request.limit > 0 || request.since;
  if (reads && take(throws_at_history_, room))
    throw std::runtime_error{"the broker failed"};
  if (reads && take(refuses_history_, room)) {
    cluster::history_page failed;
    failed.error = cluster::broker_errc::unavailable;
    handler(std::move(failed));
    return;
  }
  if (delays_ != nullptr && delays_->one_in(2))
    pending_.push_back({std::string{room}, request, std::move(handler)});
  else
    inner_.recover(room, request, std::move(handler));
}

void sim_broker::run() {
  const auto next = std::move(pending_.front());
  pending_.pop_front();
  inner_.recover(next.room, next.request, next.handler);
}

const std::vector<cluster::publication_ptr>& sim_broker::record(std::string_view room) const {
  static const std::vector<cluster::publication_ptr> nothing;
  const auto found = record_.find(room);
  return found == record_.end() ? nothing : found->second;
}

} // namespace canang::sim
