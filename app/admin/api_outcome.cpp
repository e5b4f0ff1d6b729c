#include "app/admin/api_outcome.hpp"

#include "app/admin/json_response.hpp"

#include <string>
#include <variant>

namespace canang::admin {

std::string to_json(std::string_view name, const api_outcome& outcome) {
  if (const auto* const error = std::get_if<api_error>(&outcome))
    return to_json(*error);
  const auto& result = std::get<std::string>(outcome);
  std::string json;
  json.reserve(name.size() + result.size() + 5);
  return ((((json += "{\"") += name) += "\":") += result) += '}';
}

net::page_response answer_of(const api_outcome& outcome) {
  const auto* const error = std::get_if<api_error>(&outcome);
  auto response = json_response(error == nullptr ? 200 : error->status, to_json("result", outcome));
  if (error != nullptr)
    response.note = "error=" + std::to_string(static_cast<unsigned>(error->code));
  return response;
}

api_error not_ready() {
  return {.status = 503,
          .code = api_errc::internal,
          .message = "internal server error: the node is starting"};
}

} // namespace canang::admin
