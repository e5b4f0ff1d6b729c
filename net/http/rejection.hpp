#pragma once

#include "net/http/types.hpp"
#include "net/metrics.hpp"

#include <string>

namespace canang::net {

/// A request that is refused: what is counted, and the answer.
struct rejection {
  reject_reason reason;
  page_response response;
};

[[nodiscard]] rejection reject(reject_reason reason, unsigned status, std::string text);

/// Refused because no more are taken at present, of all (503) or of its address (429); with `Retry-After`.
[[nodiscard]] rejection reject_for_now(reject_reason reason);

} // namespace canang::net
