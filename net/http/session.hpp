#pragma once

#include "net/address_counts.hpp"
#include "net/arrival_rules.hpp"
#include "net/http/router.hpp"
#include "net/loop_context.hpp"
#include "net/socket/client_socket.hpp"

#include <string_view>

namespace canang::net {

/// Serves HTTP/1.1 with keep-alive on `socket` until the client leaves, times out, or an endpoint takes the
/// connection over. Until then it is in the loop's pool, and is closed when others need its place. Keeps
/// itself alive. `context`, `paths` and `rules`, which may be null, must outlive it. `from` is what was decided of its
/// address; of a trusted proxy it is decided anew with each request. `already_read` is what has come of the first one.
void serve_http(loop_context& context, const router& paths, client_socket&& socket,
                address_counts::arrival&& from = {}, const arrival_rules* rules = nullptr,
                std::string_view already_read = {});

} // namespace canang::net
