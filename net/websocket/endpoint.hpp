#pragma once

#include "net/http/request.hpp"
#include "net/http/router.hpp"
#include "net/session_acceptor.hpp"
#include "net/websocket/session_words.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <variant>

namespace canang::net {

/// What a WebSocket connection is to become.
struct websocket_opening {
  const wire_format& format;
  connection_parameters parameters;
  const session_words* words = nullptr; ///< null: WebSocket's own
  std::string_view subprotocol{};       ///< one of those offered; empty: by the operator's rules
  std::string_view protocol = "plain";  ///< see `hook_origin`; of static storage
};

/// How a protocol reads what a handshake asks for: by path, query and fields of the request. What is wrong with
/// it is told the client.
using websocket_reader =
  std::function<std::variant<websocket_opening, rejection>(const http_request&)>;

/// Has `paths` take WebSocket connections (RFC 6455, 4.2) of a pattern. It checks the handshake, then the
/// page's origin, then asks `read`, chooses the subprotocol, and asks the door's acceptor whether one more is
/// taken; it gets the session. What is wrong is answered, counted and logged. `door` is a loop's: so is `paths`.
void add_websocket(router& paths, std::string pattern, const session_door& door,
                   websocket_reader read);

} // namespace canang::net
