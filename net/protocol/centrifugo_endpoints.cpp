#include "net/protocol/centrifugo_endpoints.hpp"

#include "net/http/fields.hpp"
#include "net/http/target.hpp"
#include "net/protocol/centrifugo.hpp"
#include "net/protocol/centrifugo_streams.hpp"
#include "net/protocol/token_query.hpp"
#include "net/protocol/user_query.hpp"
#include "net/websocket/endpoint.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

namespace canang::net {

namespace {

constexpr std::string_view json_subprotocol = "centrifuge-json";
constexpr std::string_view protobuf_subprotocol = "centrifuge-protobuf";

bool offers(const http_request& request, std::string_view subprotocol) {
  const auto offered =
    list_items(request.header, boost::beast::http::field::sec_websocket_protocol);
  return std::find(offered.begin(), offered.end(), subprotocol) != offered.end();
}

/// The subprotocol says the format where one is offered, else the query does.
std::variant<websocket_opening, rejection> read_opening(const http_request& request) {
  auto format = query_value(request.query, "format");
  if (!format)
    format = query_value(request.query, "cf_protocol");
  if (format && *format != "json" && *format != "protobuf")
    return reject(reject_reason::bad_request, 400, "format is json or protobuf");
  std::string_view subprotocol;
  if (offers(request, protobuf_subprotocol))
    subprotocol = protobuf_subprotocol;
  else if (offers(request, json_subprotocol))
    subprotocol = json_subprotocol;
  const bool is_protobuf =
    subprotocol.empty() ? format && *format == "protobuf" : subprotocol == protobuf_subprotocol;
  websocket_opening opening{is_protobuf ? centrifugo_protobuf_format() : centrifugo_json_format(),
                            {}};
  opening.words = is_protobuf ? &centrifugo_protobuf_session() : &centrifugo_json_session();
  opening.subprotocol = subprotocol;
  opening.protocol = is_protobuf ? "protobuf" : "json";
  if (auto wrong = read_user(request, opening.parameters))
    return std::move(*wrong);
  read_token(request, opening.parameters);
  return opening;
}

} // namespace

void add_centrifugo_endpoints(router& paths, const session_door& door) {
  add_websocket(paths, "/connection/websocket", door, read_opening);
  if (door.relay != nullptr)
    add_centrifugo_streams(paths, door);
}

} // namespace canang::net
