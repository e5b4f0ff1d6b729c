#pragma once

#include "net/address_counts.hpp"
#include "net/socket/client_socket.hpp"
#include "net/tls/tls_source.hpp"

#include <functional>

namespace canang::net {

/// Who goes on with a connection after its handshake: TLS is its socket's layer.
using tls_arrival = std::function<void(client_socket&&, address_counts::arrival&&)>;

/// Shakes hands with a client. Keeps itself alive until `arrived` is called or the connection is closed: since the
/// handshake failed, or was not done in its time. Who speaks HTTP is told that this port speaks TLS. A hello waits in
/// line at the loop's gate before it is looked at, each piece of it where it comes in pieces, and a second one too;
/// before the first time there is nothing of OpenSSL. `context` must outlive it.
void begin_tls(loop_context& context, client_socket&& socket, const tls_source& source,
               address_counts::arrival&& from, tls_arrival arrived);

/// The whole answer to one who speaks HTTP to such a port.
[[nodiscard]] std::string plain_on_tls_answer();

} // namespace canang::net
