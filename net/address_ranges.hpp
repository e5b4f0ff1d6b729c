#pragma once

#include "base/address_prefix.hpp"

#include <boost/asio/ip/address.hpp>

#include <string_view>
#include <vector>

namespace canang::net {

/// Ranges of IP addresses in CIDR notation (RFC 4632). An IPv4 address is the same one where it comes as IPv6
/// (`::ffff:192.0.2.1`). Filled at the start and constant afterwards: any thread may ask.
class address_ranges {
public:
  /// Adds `192.0.2.0/24`, `2001:db8::/32`, a single address, or `unix`: whoever comes over a Unix-domain socket.
  /// @returns false, and adds nothing, where it is none, or has bits behind its prefix.
  [[nodiscard]] bool add(std::string_view text);

  [[nodiscard]] bool contain(const boost::asio::ip::address& address) const noexcept;

  /// Whether those of Unix-domain sockets are in it.
  [[nodiscard]] bool contain_unix() const noexcept { return has_unix_; }

  [[nodiscard]] bool empty() const noexcept { return ranges_.empty() && !has_unix_; }

private:
  std::vector<address_prefix> ranges_;
  bool has_unix_ = false;
};

} // namespace canang::net
