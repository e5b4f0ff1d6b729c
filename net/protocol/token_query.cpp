#include "net/protocol/token_query.hpp"

#include "net/http/fields.hpp"
#include "net/http/target.hpp"
#include "net/websocket/subprotocol.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace canang::net {

namespace {

using boost::beast::http::field;

constexpr std::string_view scheme = "bearer ";

/// Schemes are told without regard to case (RFC 9110, 11.1).
bool is_bearer(std::string_view credentials) {
  return credentials.size() > scheme.size()
         && boost::beast::iequals(boost::beast::string_view{credentials.data(), scheme.size()},
                                  "bearer ");
}

} // namespace

void read_token(const http_request& request, connection_parameters& into) {
  const auto given = request.field(field::authorization);
  if (const std::string_view credentials{given.data(), given.size()}; is_bearer(credentials)) {
    const auto at = credentials.find_first_not_of(' ', scheme.size());
    into.token = credentials.substr(std::min(at, credentials.size()));
    into.is_token_of_field = true;
    return;
  }
  for (const auto offered : list_items(request.header, field::sec_websocket_protocol)) {
    if (offered.starts_with(bearer_subprotocol)) {
      into.token = offered.substr(bearer_subprotocol.size());
      return;
    }
  }
  into.token = query_value(request.query, "token").value_or(std::string{});
}

} // namespace canang::net
