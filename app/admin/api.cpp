#include "app/admin/api.hpp"

#include "app/admin/api_access.hpp"
#include "app/admin/api_answer.hpp"
#include "app/admin/api_commands.hpp"
#include "app/admin/api_publish.hpp"
#include "app/admin/json_response.hpp"
#include "net/limits.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

namespace canang::admin {

namespace {

/// Of a body, beside the message: names, a key, what escapes in them take, and white space.
constexpr std::size_t body_overhead_bytes = 16 * 1024;

} // namespace

net::page_response api_answer(std::string json) { return json_response(200, std::move(json)); }

net::page_response api_fault(const api_error& error) {
  return json_response(error.status, to_json(error));
}

net::page_response api_not_ready() {
  return api_fault({.status = 503,
                    .code = api_errc::internal,
                    .message = "internal server error: the node is starting"});
}

void add_api(net::router& paths, actors::server& node) {
  using net::http_request;
  using net::responder;
  constexpr auto post = net::http_method::post;
  const net::route_options options{
    .body_limit = std::min(node.options().loops.limits.max_message_bytes + body_overhead_bytes,
                           net::max_body_limit),
    .guard = [rules = api_access{node.api_keys(), node.options().internal_access,
                                 node.internal_endpoint().address().is_loopback()}](
               const http_request& request) { return rules.refusal(request); }};
  paths.add(post, "/api/publish", options, [&](const http_request& request, responder& respond) {
    answer_publish(node, request, respond);
  });
  paths.add(post, "/api/disconnect", options, [&](const http_request& request, responder& respond) {
    answer_disconnect(node, request, respond);
  });
  paths.add(post, "/api/unsubscribe", options,
            [&](const http_request& request, responder& respond) {
              answer_unsubscribe(node, request, respond);
            });
}

} // namespace canang::admin
