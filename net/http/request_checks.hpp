#pragma once

#include "net/http/rejection.hpp"
#include "net/http/target.hpp"
#include "net/http/types.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace canang::net {

/// What is wrong with any request, if anything (RFC 9112, 3.2 and 6.1): no Host or a bad one, a field that may
/// stand there once only, or two ways to tell where its body ends.
[[nodiscard]] std::optional<rejection> check_request(const http_request_header& request);

/// `host[:port]` that a request is for (RFC 9112, 3.3).
[[nodiscard]] std::string_view host_of(const http_request_header& request,
                                       const request_target& target);

/// Whether a request has a body, or may have one.
[[nodiscard]] bool has_body(const http_request_header& request);

/// How a request says where its body ends (RFC 9112, 6.3).
struct body_framing {
  bool is_chunked = false;
  std::uint64_t length = 0; ///< bytes, unless it is chunked; 0: there is none
};

/// Reads the framing of a request that passed `check_request`; or the answer to one that is not understood.
[[nodiscard]] std::variant<body_framing, page_response>
read_framing(const http_request_header& request);

} // namespace canang::net
