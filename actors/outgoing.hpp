#pragma once

#include "cluster/publication.hpp"
#include "net/json.hpp"
#include "net/limits.hpp"
#include "net/protocol/protocol.hpp"

#include <string_view>

namespace canang::actors {

/// A publication as protocols see it; a view, valid as long as `message` and `room` are.
[[nodiscard]] inline net::outgoing_publication outgoing(const cluster::publication& message,
                                                        std::string_view room) {
  using from = cluster::publication_kind;
  using to = net::outgoing_publication::kind;
  net::outgoing_publication out{.type = message.type == cluster::payload_type::text
                                          ? net::frame_type::text
                                          : net::frame_type::binary,
                                .data = message.data,
                                .what = message.kind == from::joined ? to::joined
                                        : message.kind == from::left ? to::left
                                                                     : to::message,
                                .epoch = message.epoch,
                                .offset = message.offset,
                                .room = room};
  if (message.notes) {
    if (const auto& author = message.notes->author)
      out.author = net::member_view{author->client, author->user, author->info, author->room_info};
    out.tags = message.notes->tags;
  }
  return out;
}

/// What is told beside a publication as JSON, about: names and marks of it that do not depend on the texts are not
/// counted.
[[nodiscard]] inline std::size_t bytes_in_json(const cluster::publication_notes& notes) noexcept {
  std::size_t bytes = 0;
  if (const auto& author = notes.author)
    bytes += net::json_string_size(author->user) + net::json_string_size(author->client)
             + author->info.size() + author->room_info.size();
  for (const auto& [name, value] : notes.tags)
    bytes += net::json_string_size(name) + net::json_string_size(value) + 2;
  return bytes;
}

/// What a publication counts as in an answer that is one message.
[[nodiscard]] inline std::size_t cost_in_answer(const cluster::publication& message) noexcept {
  return message.data.size() + net::overhead_in_flight_bytes
         + (message.notes ? bytes_in_json(*message.notes) : 0);
}

} // namespace canang::actors
