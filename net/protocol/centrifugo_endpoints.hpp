#pragma once

#include "net/http/router.hpp"
#include "net/session_acceptor.hpp"

namespace canang::net {

/// Adds `/connection/websocket`, where the SDKs of Centrifugo connect, and their fallback transports where the door has a
/// relay.
void add_centrifugo_endpoints(router& paths, const session_door& door);

} // namespace canang::net
