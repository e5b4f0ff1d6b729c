#pragma once

#include "net/address_counts.hpp"
#include "net/http/router.hpp"
#include "net/loop_context.hpp"

namespace canang::net {

/// Serves HTTP/1.1 with keep-alive on `socket` until the client leaves, times out, or an endpoint takes the
/// connection over. Until then it is in the loop's pool, and is closed when others need its place. Keeps
/// itself alive. `context` and `paths` must outlive it. `from` is what was decided of its address.
void serve_http(loop_context& context, const router& paths, tcp_socket&& socket,
                address_counts::arrival&& from = {});

} // namespace canang::net
