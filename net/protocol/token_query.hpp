#pragma once

#include "net/http/request.hpp"
#include "net/protocol/commands.hpp"

namespace canang::net {

/// Takes the token by which a request says who asks (RFC 6750, 2): of `Authorization: Bearer`, else of a subprotocol
/// (`bearer_subprotocol`), else of `token` in the query.
void read_token(const http_request& request, connection_parameters& into);

} // namespace canang::net
