#pragma once

#include <boost/asio/ip/address.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace canang {

/// The addresses that begin with the same bits: one address, or a range in CIDR notation (RFC 4632). An IPv4 address is
/// the same one where it comes as IPv6 (`::ffff:192.0.2.1`).
struct address_prefix {
  /// Bits of IPv6 that stand before an IPv4 address.
  static constexpr unsigned bits_before_ipv4 = 96;

  std::array<std::uint8_t, 16> first{}; ///< of IPv6, also for IPv4
  std::uint8_t bits = 128;              ///< of these 128

  [[nodiscard]] bool contains(const boost::asio::ip::address& address) const noexcept;

  friend bool operator==(const address_prefix&, const address_prefix&) = default;
};

/// The first `bits` (of 128) of an address.
[[nodiscard]] address_prefix prefix_of(const boost::asio::ip::address& address,
                                       std::uint8_t bits) noexcept;

/// Reads `192.0.2.7`, `192.0.2.0/24` or `2001:db8::/32`. Nothing where it is none, or has bits behind its prefix.
[[nodiscard]] std::optional<address_prefix> read_address_prefix(std::string_view text);

/// The one text of it, with its length: `192.0.2.7/32`.
[[nodiscard]] std::string to_text(const address_prefix& prefix);

} // namespace canang
