#pragma once

#include "net/http/origin.hpp"
#include "net/http/rejection.hpp"
#include "net/http/types.hpp"
#include "net/websocket/subprotocol.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace canang::net {

/// What an operator may say of handshakes.
struct handshake_rules {
  origin_rules origins;
  subprotocol_rules subprotocols;
};

/// What is wrong with a handshake apart from what it asks for (RFC 6455, 4.2.1), if anything.
[[nodiscard]] std::optional<rejection> check_handshake(const http_request_header& request);

/// Whether the page that a browser opens the connection for may do so. `host` is `host[:port]` that the request
/// is for.
[[nodiscard]] std::optional<rejection> check_origin(const http_request_header& request,
                                                    std::string_view host,
                                                    const origin_rules& allowed);

/// The subprotocol that the answer names: empty where none was offered.
[[nodiscard]] std::variant<std::string, rejection>
choose_subprotocol(const http_request_header& request, const subprotocol_rules& allowed);

/// What goes into Sec-WebSocket-Accept for a client's Sec-WebSocket-Key (RFC 6455, 4.2.2).
[[nodiscard]] std::string websocket_accept(std::string_view key);

/// The whole answer to a handshake that has been checked. `subprotocol` is one that the client offered, a
/// token, or empty; `extensions` are those that were agreed on, or empty.
[[nodiscard]] std::string handshake_answer(std::string_view key, std::string_view subprotocol,
                                           std::string_view extensions = {});

} // namespace canang::net
