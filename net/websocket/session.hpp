#pragma once

#include "net/address_counts.hpp"
#include "net/http/types.hpp"
#include "net/loop_context.hpp"
#include "net/session.hpp"
#include "net/socket/byte_layer.hpp"
#include "net/socket/client_socket.hpp"
#include "net/websocket/session_words.hpp"

#include <memory>
#include <string>

namespace canang::net {

/// A client's request to become a WebSocket connection, checked already.
struct websocket_upgrade {
  client_socket socket;
  http_request_header request;
  std::string already_read;  ///< bytes that came right behind the request
  std::string subprotocol{}; ///< the one of those offered that the answer names, if any
  std::unique_ptr<byte_layer>
    layer{};               ///< between what the socket has and those bytes; null: nothing
  address_ticket ticket{}; ///< kept as long as the session is there
  const session_words* words = nullptr; ///< null: WebSocket's own pings and close codes
  bool may_be_compressed = false;       ///< what the client says (RFC 7692)
  std::string extensions{};             ///< those that the answer names, if any
};

/// A session that speaks RFC 6455 on a socket which only the loop's readiness set watches; not open yet.
/// `context` must outlive it.
[[nodiscard]] session_ptr make_websocket_session(loop_context& context,
                                                 websocket_upgrade&& upgrade);

} // namespace canang::net
