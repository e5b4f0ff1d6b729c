#include "net/protocol/user_query.hpp"

#include "net/http/target.hpp"

#include <utility>

namespace canang::net {

std::optional<rejection> read_user(const http_request& request, connection_parameters& into) {
  auto user = query_value(request.query, "user");
  if (!user)
    return std::nullopt;
  if (!is_user_name(*user))
    return reject(reject_reason::bad_request, 400,
                  "user is 1 to 255 bytes of UTF-8 without control characters");
  into.user = std::move(*user);
  return std::nullopt;
}

} // namespace canang::net
