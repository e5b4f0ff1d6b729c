#include "net/protocol/plain_endpoints.hpp"

#include "net/protocol/plain.hpp"
#include "net/protocol/token_query.hpp"
#include "net/websocket/endpoint.hpp"

#include <utility>
#include <variant>

namespace canang::net {

namespace {

std::variant<websocket_opening, rejection> read_opening(const http_request& request) {
  auto parsed = parse_plain_target(request.path, request.query);
  if (auto* const wrong = std::get_if<std::string>(&parsed))
    return reject(reject_reason::bad_room, 400, std::move(*wrong));
  auto& parameters = std::get<connection_parameters>(parsed);
  read_token(request, parameters);
  const auto& format = parameters.meta ? plain_meta_format() : plain_format();
  return websocket_opening{format, std::move(parameters)};
}

} // namespace

void add_plain_endpoints(router& paths, const session_door& door) {
  add_websocket(paths, "/ws", door, read_opening);
  add_websocket(paths, "/ws/{room*}", door, read_opening);
}

} // namespace canang::net
