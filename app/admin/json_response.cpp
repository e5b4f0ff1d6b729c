#include "app/admin/json_response.hpp"

#include "net/json.hpp"

#include <fmt/format.h>

#include <utility>

namespace canang::admin {

net::page_response json_response(unsigned status, std::string body) {
  auto response = net::text_response(status, std::move(body));
  response.content_type = "application/json";
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

net::page_response json_fault(unsigned status, std::string_view reason) {
  return json_response(status, fmt::format(R"({{"reason":{}}})", net::json_string(reason)));
}

} // namespace canang::admin
