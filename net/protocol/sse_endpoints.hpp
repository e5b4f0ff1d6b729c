#pragma once

#include "net/http/router.hpp"
#include "net/session_acceptor.hpp"

#include <cstddef>

namespace canang::net {

/// Adds `/sse` and `/sse/{room}`: the plain protocol over EventSource. `door` is a loop's: so is `paths`, whose
/// origins say which sites' pages may read them.
void add_sse_endpoints(router& paths, const session_door& door, std::size_t max_rooms);

} // namespace canang::net
