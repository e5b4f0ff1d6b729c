#pragma once

#include "actors/server.hpp"
#include "app/admin/api_outcome.hpp"
#include "net/http/responder.hpp"
#include "net/http/router.hpp"
#include "net/limits.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <variant>

namespace canang::admin {

/// Of a body, beside the message: names, a key, what escapes in them take, and white space.
inline constexpr std::size_t body_overhead_bytes = 16 * 1024;

/// Of a body with one message: in base64 it takes a third more.
[[nodiscard]] inline std::size_t message_body_limit(const actors::server& node) {
  const auto message_bytes = node.options().loops.limits.max_message_bytes;
  return std::min(message_bytes + message_bytes / 3 + body_overhead_bytes, net::max_body_limit);
}

/// Reads a request with `parse` and does what it asks; `act` gets what was read, and a handler for the outcome.
template <class Parse, class Act>
net::http_handler answer(Parse parse, Act act) {
  return [parse, act](const net::http_request& request, net::responder& respond) {
    auto parsed = parse(request.body);
    if (auto* const error = std::get_if<api_error>(&parsed)) {
      respond.reply(answer_of(std::move(*error)));
      return;
    }
    act(std::get<0>(std::move(parsed)),
        api_handler{
          [later = respond.reply_later()](api_outcome&& outcome) { later(answer_of(outcome)); }});
  };
}

} // namespace canang::admin
