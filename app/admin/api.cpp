#include "app/admin/api.hpp"

#include "app/admin/api_access.hpp"
#include "app/admin/api_answering.hpp"
#include "app/admin/api_batch.hpp"
#include "app/admin/api_execute.hpp"
#include "app/admin/api_outcome.hpp"
#include "app/admin/openapi.hpp"
#include "net/limits.hpp"

#include <string>
#include <utility>

namespace canang::admin {

namespace {

using net::http_request;
using net::responder;

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
  const bool is_logged = node.options().logs_api;
  const net::route_options one{
    .body_limit = message_body_limit(node), .guard = guard, .is_logged = is_logged};
  const net::route_options many{
    .body_limit = net::max_body_limit, .guard = guard, .is_logged = is_logged};
  for (const auto& method : api_methods())
    paths.add(post, "/api/" + std::string{method.name}, method.name == "broadcast" ? many : one,
              answer(method.read, [&node](api_command&& command, api_handler&& handler) {
                execute(node, std::move(command), std::move(handler));
              }));
  paths.add(post, "/api/batch", many, [&node](const http_request& request, responder& respond) {
    answer_batch(node, request, respond);
  });
  paths.add_page("/api/openapi.json", {.guard = guard, .is_logged = is_logged},
                 [](const http_request&) { return description(); });
}

} // namespace canang::admin
