#include "actors/fanout.hpp"
#include "actors/publication_tracing.hpp"

#include <cstddef>
#include <cstdint>

// Deliveries of publications that are followed: see docs/tracing.md. Until their turn ends they are noted only, as there
// may be many: what is told of them is made then, of those that the tracer has a place for.

namespace canang::actors {

namespace {

/// In a turn: more than the tracer has places.
constexpr std::size_t most_followed = 16'384;

} // namespace

void fanout::follow(room_id room, const cluster::publication& message) {
  const auto parent = trace_of(message);
  if (!parent)
    return;
  if (followed_.size() < most_followed)
    followed_.push_back(
      {room, *parent, is_from_reading_ ? message.received_at : net::span::clock::now()});
  else
    tracer_->lose(1);
}

/// Those of the turn, whose frames have gone to the members.
void fanout::end_followed() {
  for (const auto& one : followed_) {
    if (tracer_->has_place())
      record(one);
    else
      tracer_->lose(1);
  }
  followed_.clear();
}

void fanout::record(const delivery& one) {
  const auto found = rooms_.find(one.room);
  if (found == rooms_.end())
    return; // its last member here has gone meanwhile
  const auto& room = found->second;
  std::int64_t members = 0;
  for (const auto& target : room.groups)
    members += static_cast<std::int64_t>(target.members.size());
  tracer_->record({.at = child_of(one.parent),
                   .parent = one.parent.span,
                   .kind = net::span_kind::consumer,
                   .name = "deliver",
                   .began = one.began,
                   .ended = net::span::clock::now(),
                   .attributes = {{"canang.room", room.name},
                                  {"canang.members", members},
                                  {"canang.loop", std::int64_t{loop_}}}});
}

} // namespace canang::actors
