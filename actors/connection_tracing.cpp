#include "actors/connection_impl.hpp"
#include "actors/publication_tracing.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

// Publishes of a client that are followed to the broker: see docs/tracing.md.

namespace canang::actors {

/// In a room that it is in, or null: outside. Those that are not followed are noted too: answers to publishes of the
/// same room may be told apart by nothing but their order.
void connection::publish_followed(subscription* to, const std::string& room, waiting_publish&& one,
                                  const std::optional<trace_context>& trace) {
  if (services_.tracer != nullptr) {
    auto& noted = ensure_rare().followed;
    noted.push_back({.subscription = to == nullptr ? 0 : to->id, .request = one.request});
    if (trace)
      noted.back().to_broker = std::make_unique<net::span>(follow(*one.message, room, *trace));
  }
  if (to != nullptr)
    send_publish(*to, std::move(one.message), one.request, std::move(one.key), one.outlives_room);
  else
    send_outside(room, std::move(one));
}

void connection::on_followed(const published& answer) {
  auto& all = rare_->followed;
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) {
    return one.subscription == answer.subscription && one.request == answer.request;
  });
  if (found == all.end())
    return;
  if (found->to_broker) {
    auto to_broker = ended(std::move(*found->to_broker), answer.outcome);
    if (answer.wait.count() > 0)
      to_broker.fault = "too soon";
    services_.tracer->record(std::move(to_broker));
  }
  all.erase(found);
  drop_rare_if_empty();
}

/// Nobody is told what becomes of the publishes of a client that has gone: only that they were on their way.
void connection::end_followed() {
  for (auto& one : rare_->followed) {
    if (!one.to_broker)
      continue;
    one.to_broker->ended = net::span::clock::now();
    one.to_broker->attributes.emplace_back("canang.unanswered", std::int64_t{1});
    services_.tracer->record(std::move(*one.to_broker));
  }
  rare_->followed.clear();
}

} // namespace canang::actors
