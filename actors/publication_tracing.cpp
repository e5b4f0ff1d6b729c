#include "actors/publication_tracing.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace canang::actors {

namespace {

constexpr std::string_view tag_name = "traceparent";

/// In the place of one of that name.
void set_tag(cluster::publication& message, std::string value) {
  cluster::publication_notes notes;
  if (message.notes)
    notes = *message.notes;
  const auto found = std::find_if(notes.tags.begin(), notes.tags.end(),
                                  [](const auto& tag) { return tag.first == tag_name; });
  if (found != notes.tags.end())
    found->second = std::move(value);
  else if (notes.tags.size() < cluster::max_tags)
    notes.tags.emplace_back(tag_name, std::move(value));
  message.notes = std::make_unique<const cluster::publication_notes>(std::move(notes));
}

} // namespace

net::span follow(cluster::publication& message, const std::string& room,
                 const trace_context& parent) {
  net::span to_broker{
    .at = child_of(parent),
    .parent = parent.span,
    .kind = net::span_kind::producer,
    .name = "broker",
    .began = net::span::clock::now(),
    .attributes = {{"canang.room", room},
                   {"canang.bytes", static_cast<std::int64_t>(message.data.size())}}};
  set_tag(message, to_traceparent(to_broker.at));
  return to_broker;
}

net::span ended(net::span to_broker, const cluster::publish_outcome& outcome) {
  to_broker.ended = net::span::clock::now();
  switch (outcome.error) {
  case cluster::broker_errc::none: break;
  case cluster::broker_errc::unavailable: to_broker.fault = "not stored in time"; break;
  case cluster::broker_errc::refused: to_broker.fault = "refused"; break;
  }
  if (outcome.at.offset != 0)
    to_broker.attributes.emplace_back("canang.offset",
                                      static_cast<std::int64_t>(outcome.at.offset));
  return to_broker;
}

std::optional<trace_context> trace_of(const cluster::publication& message) {
  if (!message.notes)
    return std::nullopt;
  const auto& tags = message.notes->tags;
  const auto found =
    std::find_if(tags.begin(), tags.end(), [](const auto& tag) { return tag.first == tag_name; });
  if (found == tags.end())
    return std::nullopt;
  const auto at = parse_traceparent(found->second);
  return at && at->is_sampled ? at : std::nullopt;
}

} // namespace canang::actors
