#include "net/http/cors.hpp"

#include "net/http/fields.hpp"

#include <algorithm>
#include <utility>

namespace canang::net {

using boost::beast::http::field;

namespace {

/// How long a browser may keep the leave: what Chromium does at most is two hours, and rules change with a
/// restart.
constexpr const char* max_age_seconds = "600";

} // namespace

bool is_preflight(const http_request_header& request) {
  return request.method() == http_method::options && request.count(field::origin) != 0
         && request.count(field::access_control_request_method) != 0;
}

page_response preflight_answer(const http_request_header& request) {
  page_response response;
  response.status = 204;
  response.headers.emplace_back("Access-Control-Allow-Methods",
                                request[field::access_control_request_method]);
  // which fields mean something is for the handler to say; a page may send whatever it wants to here
  const auto wanted = list_items(request, field::access_control_request_headers);
  if (!wanted.empty() && std::all_of(wanted.begin(), wanted.end(), is_token)) {
    std::string names;
    for (const auto name : wanted)
      names += (names.empty() ? "" : ", ") + std::string{name};
    response.headers.emplace_back("Access-Control-Allow-Headers", std::move(names));
  }
  response.headers.emplace_back("Access-Control-Max-Age", max_age_seconds);
  return response;
}

std::vector<std::pair<std::string, std::string>> cors_fields(std::string_view origin) {
  return {{"Access-Control-Allow-Origin", std::string{origin}}, {"Vary", "Origin"}};
}

} // namespace canang::net
