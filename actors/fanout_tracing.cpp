#include "actors/fanout.hpp"
#include "actors/publication_tracing.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

// Deliveries of publications that are followed: see docs/tracing.md.

namespace canang::actors {

void fanout::follow(const local_room& room, const cluster::publication& message) {
  const auto parent = trace_of(message);
  if (!parent)
    return;
  followed_.emplace_back(room.id, net::span{.at = child_of(*parent),
                                            .parent = parent->span,
                                            .kind = net::span_kind::consumer,
                                            .name = "deliver",
                                            .began = message.received_at});
}

/// Those of a room whose frames have just gone to its members.
void fanout::end_followed(const local_room& room) {
  const auto now = net::span::clock::now();
  std::int64_t members = 0;
  for (const auto& target : room.groups)
    members += static_cast<std::int64_t>(target.members.size());
  const auto others = std::stable_partition(followed_.begin(), followed_.end(),
                                            [&](const auto& one) { return one.first != room.id; });
  for (auto one = others; one != followed_.end(); ++one) {
    auto& delivery = one->second;
    delivery.ended = now;
    delivery.attributes = {{"canang.room", room.name},
                           {"canang.members", members},
                           {"canang.loop", std::int64_t{loop_}}};
    tracer_->record(std::move(delivery));
  }
  followed_.erase(others, followed_.end());
}

} // namespace canang::actors
