#include "app/admin/api_span.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace canang::admin {

std::shared_ptr<api_span> api_span::begin(net::tracer* tracer, std::string_view method,
                                          const net::http_request& request) {
  if (tracer == nullptr)
    return nullptr;
  constexpr std::string_view field = "traceparent";
  const bool is_one = request.header.count(field) == 1; // of several none counts
  const auto caller = parse_traceparent(is_one ? std::string_view{request.header[field]} : "");
  const auto at = !caller              ? tracer->begin()
                  : caller->is_sampled ? std::optional{child_of(*caller)}
                                       : std::nullopt;
  if (!at)
    return nullptr;
  const auto route = "/api/" + std::string{method};
  return std::make_shared<api_span>(
    *tracer,
    net::span{.at = *at,
              .parent = caller ? caller->span : 0,
              .kind = net::span_kind::server,
              .name = "POST " + route,
              .began = net::span::clock::now(),
              .attributes = {{"http.request.method", std::string{"POST"}}, {"http.route", route}}});
}

void api_span::lead(api_command& command) const {
  if (auto* const one = std::get_if<api_publish>(&command))
    one->content.trace = span_.at;
  else if (auto* const many = std::get_if<api_broadcast>(&command))
    many->content.trace = span_.at;
}

void api_span::end(net::page_response& response) {
  span_.ended = net::span::clock::now();
  span_.attributes.emplace_back("http.response.status_code", std::int64_t{response.status});
  constexpr unsigned fault_of_server = 500;
  if (span_.fault.empty() && response.status >= fault_of_server)
    span_.fault = "status " + std::to_string(response.status);
  response.note += (response.note.empty() ? "trace=" : " trace=") + trace_id_of(span_.at);
  tracer_.record(std::move(span_));
}

void api_span::end(net::page_response& response, const api_outcome& outcome) {
  if (const auto* const error = std::get_if<api_error>(&outcome)) {
    span_.attributes.emplace_back("canang.api.error", static_cast<std::int64_t>(error->code));
    if (error->code == api_errc::internal)
      span_.fault = error->message;
  }
  end(response);
}

} // namespace canang::admin
