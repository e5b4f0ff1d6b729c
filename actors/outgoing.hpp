#pragma once

#include "cluster/publication.hpp"
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
      out.author = net::member_view{author->client, author->user};
    out.tags = message.notes->tags;
  }
  return out;
}

} // namespace canang::actors
