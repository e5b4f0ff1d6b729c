#pragma once

#include "net/address_counts.hpp"
#include "net/proxy_rules.hpp"
#include "net/socket/client_socket.hpp"

namespace canang::net {

class tls_source;

/// What is asked of a connection that has come to a port before anything else. Constant; shared by the loops.
struct arrival_rules {
  address_counts* addresses = nullptr;  ///< null: the connections of an address are not counted
  const proxy_rules* proxies = nullptr; ///< null: there are none in front
  const tls_source* tls = nullptr;      ///< null: the port does not speak TLS

  /// Whether what this one says of clients is believed.
  [[nodiscard]] bool trust(const tcp_endpoint& peer) const noexcept {
    if (proxies == nullptr)
      return false;
    return is_ip(peer) ? proxies->trusted.contain(peer.address()) : proxies->trusted.contain_unix();
  }

  /// Counts a connection of this address, unless it is one of the proxies': those are many clients'.
  [[nodiscard]] address_counts::arrival arrive(const tcp_endpoint& client) const {
    if (addresses == nullptr || !is_ip(client) || trust(client))
      return {};
    return addresses->arrive(client.address());
  }
};

} // namespace canang::net
