#pragma once

#include "cluster/publication.hpp"
#include "net/dialect.hpp"

namespace canang::actors {

/// A publication as dialects see it; a view, valid as long as `message` is.
[[nodiscard]] inline net::outgoing_publication outgoing(const cluster::publication& message) {
  using from = cluster::publication_kind;
  using to = net::outgoing_publication::kind;
  return {message.type == cluster::payload_type::text ? net::frame_type::text
                                                      : net::frame_type::binary,
          message.data,
          message.kind == from::joined ? to::joined
          : message.kind == from::left ? to::left
                                       : to::message,
          message.epoch, message.offset};
}

} // namespace canang::actors
