#pragma once

#include "net/proxy_rules.hpp"
#include "net/socket/client_socket.hpp"

#include <functional>
#include <string>

namespace canang::net {

/// Who goes on with a connection whose header was read: its client is told to the socket. What the client has sent
/// already comes along where some of it had to be read to see that there is no header.
using proxied_arrival = std::function<void(client_socket&&, std::string already_read)>;

/// Reads the PROXY header off the front of a connection of a trusted proxy, and nothing else. Keeps itself alive until
/// `arrived` is called, or the connection is closed: for a header that is bad, or not there though it is required,
/// or cut by the time of a handshake. `context` must outlive it.
void read_proxy_header(loop_context& context, client_socket&& socket, proxy_header_mode mode,
                       proxied_arrival arrived);

} // namespace canang::net
