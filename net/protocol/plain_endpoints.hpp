#pragma once

#include "net/http/router.hpp"
#include "net/session_acceptor.hpp"

namespace canang::net {

/// Adds `/ws` and `/ws/{room}`, where the plain dialect is spoken.
void add_plain_endpoints(router& paths, const session_door& door);

} // namespace canang::net
