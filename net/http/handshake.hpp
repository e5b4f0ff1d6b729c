#pragma once

#include "net/http/origin.hpp"
#include "net/http/target.hpp"
#include "net/http/types.hpp"
#include "net/metrics.hpp"
#include "net/websocket/subprotocol.hpp"

#include <optional>
#include <string>
#include <variant>

namespace canang::net {

/// What an operator may say of handshakes.
struct handshake_rules {
  origin_rules origins;
  subprotocol_rules subprotocols;
};

/// A request that is refused: what is counted, and the answer.
struct rejection {
  reject_reason reason;
  page_response response;
};

[[nodiscard]] rejection reject(reject_reason reason, unsigned status, std::string text);

/// Refused because no more are taken at present, of all (503) or of its address (429); with `Retry-After`.
[[nodiscard]] rejection reject_for_now(reject_reason reason);

/// Whether a request has a body, or may have one.
[[nodiscard]] bool has_body(const http_request_header& request);

/// What is wrong with any request, if anything (RFC 9112, 3.2): no Host or a bad one, or a field that may
/// stand there once only.
[[nodiscard]] std::optional<rejection> check_request(const http_request_header& request);

/// `host[:port]` that a request is for (RFC 9112, 3.3).
[[nodiscard]] std::string_view host_of(const http_request_header& request,
                                       const request_target& target);

/// What is wrong with a handshake apart from its room (RFC 6455, 4.2.1), if anything.
[[nodiscard]] std::optional<rejection> check_handshake(const http_request_header& request);

/// Whether the page that a browser opens the connection for may do so.
[[nodiscard]] std::optional<rejection> check_origin(const http_request_header& request,
                                                    const request_target& target,
                                                    const origin_rules& allowed);

/// The subprotocol that the answer names: empty where none was offered.
[[nodiscard]] std::variant<std::string, rejection>
choose_subprotocol(const http_request_header& request, const subprotocol_rules& allowed);

} // namespace canang::net
