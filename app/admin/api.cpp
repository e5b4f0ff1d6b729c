#include "app/admin/api.hpp"

#include "app/admin/api_access.hpp"
#include "app/admin/api_batch.hpp"
#include "app/admin/api_execute.hpp"
#include "app/admin/api_outcome.hpp"
#include "app/admin/openapi.hpp"
#include "net/limits.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

namespace canang::admin {

namespace {

using net::http_request;
using net::responder;

/// Of a body, beside the message: names, a key, what escapes in them take, and white space.
constexpr std::size_t body_overhead_bytes = 16 * 1024;

void answer(actors::server& node, const api_method& method, const http_request& request,
            responder& respond) {
  auto parsed = method.read(request.body);
  if (auto* const error = std::get_if<api_error>(&parsed)) {
    respond.reply(answer_of(std::move(*error)));
    return;
  }
  execute(node, std::get<api_command>(std::move(parsed)),
          [later = respond.reply_later()](api_outcome&& outcome) { later(answer_of(outcome)); });
}

net::page_response description() {
  net::page_response response;
  response.content_type = "application/json";
  response.static_body = openapi_json;
  return response;
}

void answer_batch(actors::server& node, const http_request& request, responder& respond) {
  auto parsed = parse_batch(request.body);
  if (auto* const error = std::get_if<api_error>(&parsed))
    respond.reply(answer_of(std::move(*error)));
  else
    execute_batch(node, std::get<api_batch>(std::move(parsed)), respond.reply_later());
}

} // namespace

void add_api(net::router& paths, actors::server& node) {
  constexpr auto post = net::http_method::post;
  const net::http_guard guard = [rules =
                                   api_access{node.api_keys(), node.options().internal_access,
                                              node.internal_endpoint().address().is_loopback()}](
                                  const http_request& request) { return rules.refusal(request); };
  // in base64 a message takes a third more
  const auto message_bytes = node.options().loops.limits.max_message_bytes;
  const net::route_options one{
    .body_limit =
      std::min(message_bytes + message_bytes / 3 + body_overhead_bytes, net::max_body_limit),
    .guard = guard};
  const net::route_options many{.body_limit = net::max_body_limit, .guard = guard};
  for (const auto& method : api_methods())
    paths.add(post, "/api/" + std::string{method.name}, method.name == "broadcast" ? many : one,
              [&node, &method](const http_request& request, responder& respond) {
                answer(node, method, request, respond);
              });
  paths.add(post, "/api/batch", many, [&node](const http_request& request, responder& respond) {
    answer_batch(node, request, respond);
  });
  paths.add_page("/api/openapi.json", {.guard = guard},
                 [](const http_request&) { return description(); });
}

} // namespace canang::admin
