#include "app/admin/api.hpp"

#include "app/admin/api_access.hpp"
#include "app/admin/api_answering.hpp"
#include "app/admin/api_batch.hpp"
#include "app/admin/api_execute.hpp"
#include "app/admin/api_outcome.hpp"
#include "app/admin/api_span.hpp"
#include "app/admin/openapi.hpp"
#include "net/limits.hpp"

#include <memory>
#include <string>
#include <utility>
#include <variant>

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

/// Ends the span, if there is one.
net::page_response answer_to(const std::shared_ptr<api_span>& span, const api_outcome& outcome) {
  auto response = answer_of(outcome);
  if (span)
    span->end(response, outcome);
  return response;
}

void answer_one(actors::server& node, const api_method& method, const http_request& request,
                responder& respond) {
  const auto span = api_span::begin(node.tracer(), method.name, request);
  auto parsed = method.read(request.body);
  if (auto* const error = std::get_if<api_error>(&parsed)) {
    respond.reply(answer_to(span, std::move(*error)));
    return;
  }
  auto& command = std::get<api_command>(parsed);
  if (span)
    span->lead(command);
  execute(node, std::move(command), [span, later = respond.reply_later()](api_outcome&& outcome) {
    later(answer_to(span, outcome));
  });
}

void answer_batch(actors::server& node, const http_request& request, responder& respond) {
  const auto span = api_span::begin(node.tracer(), "batch", request);
  auto parsed = parse_batch(request.body);
  if (auto* const error = std::get_if<api_error>(&parsed)) {
    respond.reply(answer_to(span, std::move(*error)));
    return;
  }
  auto& batch = std::get<api_batch>(parsed);
  if (span)
    for (auto& one : batch.commands)
      if (auto* const command = std::get_if<api_command>(&one.command))
        span->lead(*command);
  execute_batch(node, std::move(batch),
                [span, later = respond.reply_later()](net::page_response&& response) {
                  if (span)
                    span->end(response);
                  later(std::move(response));
                });
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
              [&node, &method](const http_request& request, responder& respond) {
                answer_one(node, method, request, respond);
              });
  paths.add(post, "/api/batch", many, [&node](const http_request& request, responder& respond) {
    answer_batch(node, request, respond);
  });
  paths.add_page("/api/openapi.json", {.guard = guard, .is_logged = is_logged},
                 [](const http_request&) { return description(); });
}

} // namespace canang::admin
