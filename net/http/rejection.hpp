#pragma once

#include "net/http/types.hpp"
#include "net/metrics.hpp"

#include <string>
#include <string_view>

namespace canang::net {

/// A request that is refused: what is counted, and the answer.
struct rejection {
  reject_reason reason;
  page_response response;
};

/// Why one is refused that may come back, a line without its end; `otherwise` for all reasons that have no words of
/// their own.
[[nodiscard]] std::string_view refusal_text(reject_reason reason,
                                            std::string_view otherwise) noexcept;

/// What a 401 says that is needed (RFC 6750, 3).
inline constexpr std::string_view bearer_challenge = R"(Bearer realm="canang")";

/// Whether it is refused for what it is, and not for the moment: it has no reason to come back as it is.
[[nodiscard]] bool is_final(reject_reason reason) noexcept;

/// The status of such a refusal behind `HTTP/1.1 `: 401, 403 or 503.
[[nodiscard]] std::string_view refusal_status(reject_reason reason) noexcept;

[[nodiscard]] rejection reject(reject_reason reason, unsigned status, std::string text);

/// Refused because no more are taken at present, of all (503) or of its address (429); with `Retry-After`.
[[nodiscard]] rejection reject_for_now(reject_reason reason);

} // namespace canang::net
