#pragma once

#include "net/http_types.hpp"
#include "net/metrics.hpp"

#include <optional>
#include <string>

namespace canang::net {

/// A request that is refused: what is counted, and the answer.
struct rejection {
  reject_reason reason;
  page_response response;
};

[[nodiscard]] rejection reject(reject_reason reason, unsigned status, std::string text);

/// Refused because the node takes no more at present: 503 with `Retry-After`.
[[nodiscard]] rejection reject_for_now(reject_reason reason);

/// Whether a request has a body, or may have one.
[[nodiscard]] bool has_body(const http_request_header& request);

/// What is wrong with any request, if anything (RFC 9112, 3.2): no Host or a bad one, or a field that may
/// stand there once only.
[[nodiscard]] std::optional<rejection> check_request(const http_request_header& request);

/// What is wrong with a handshake apart from its room (RFC 6455, 4.2.1), if anything.
[[nodiscard]] std::optional<rejection> check_handshake(const http_request_header& request);

/// A handshake that was found right, with its lists in one line each, for who looks at the first only.
void simplify_handshake(http_request_header& request);

} // namespace canang::net
