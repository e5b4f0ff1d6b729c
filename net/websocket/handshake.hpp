#pragma once

#include <string>
#include <string_view>

namespace canang::net {

/// What goes into Sec-WebSocket-Accept for a client's Sec-WebSocket-Key (RFC 6455, 4.2.2).
[[nodiscard]] std::string websocket_accept(std::string_view key);

/// The whole answer to a handshake that has been checked. `subprotocol` is one that the client offered, a
/// token, or empty.
[[nodiscard]] std::string handshake_answer(std::string_view key, std::string_view subprotocol);

} // namespace canang::net
