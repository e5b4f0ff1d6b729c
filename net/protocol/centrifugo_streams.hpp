#pragma once

#include "net/http/router.hpp"
#include "net/session_acceptor.hpp"

namespace canang::net {

/// Adds the fallback transports of Centrifugo's protocol: `/connection/http_stream` and `/connection/sse`, which are
/// answered with streams, and `/emulation`, where clients say what they have to say. The door has a relay.
void add_centrifugo_streams(router& paths, const session_door& door);

} // namespace canang::net
