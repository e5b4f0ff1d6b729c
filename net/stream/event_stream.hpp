#pragma once

#include "net/address_counts.hpp"
#include "net/loop_context.hpp"
#include "net/metrics.hpp"
#include "net/session.hpp"
#include "net/socket/byte_layer.hpp"
#include "net/socket/client_socket.hpp"
#include "net/stream/response_head.hpp"

#include <memory>
#include <string>

namespace canang::net {

/// A client's request for events, checked already.
struct event_stream_request {
  client_socket socket;
  header_fields fields{}; ///< that the answer has besides its own: CORS
  bool is_return = false; ///< the client was here before and says where it was
  std::unique_ptr<byte_layer>
    layer{};               ///< between what the socket has and the events; null: nothing
  address_ticket ticket{}; ///< kept as long as the session is there
};

/// A session that is an HTTP response without end, as EventSource reads it (WHATWG HTML, 9.2, server-sent
/// events); not open yet. What is sent through it has to be whole events. `context` must outlive it.
///
/// The end of the connection is the end of the response: no length, no chunks. So the members of a room share
/// their bytes whatever version of HTTP they or a proxy in front speak, and a proxy that needs chunks makes them.
///
/// **Life.** A client of this kind never answers. It is there as long as its kernel acknowledges what is sent:
/// `ping` sends a comment, and `last_heard` is the time of the last ping of which anything was acknowledged
/// (or of anything else behind it). Whoever has vanished, or takes nothing of what waits, acknowledges nothing.
///
/// **Its end.** Before it ends the client is told how long to wait before it comes back, a random time, and
/// unless the node goes down or has too many connections, why.
[[nodiscard]] session_ptr make_event_stream(loop_context& context, event_stream_request&& request);

/// The stream, without its header, for whoever was here before and cannot be served now. Of a 503 a browser's
/// EventSource makes an error and never comes back by itself; of this, it comes back in a while.
[[nodiscard]] std::string event_stream_farewell(reject_reason reason);

} // namespace canang::net
