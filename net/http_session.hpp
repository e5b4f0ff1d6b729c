#pragma once

#include "net/loop_context.hpp"
#include "net/routes.hpp"

namespace canang::net {

/// Serves HTTP/1.1 with keep-alive on `socket` until the client leaves, times out, or upgrades; then
/// the socket becomes a WebSocket session. Keeps itself alive. `context` and `paths` must outlive it.
void serve_http(loop_context& context, const routes& paths, tcp_socket&& socket);

} // namespace canang::net
