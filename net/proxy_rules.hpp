#pragma once

#include "net/address_ranges.hpp"

#include <cstdint>

namespace canang::net {

/// Whether proxies say in front of a connection's bytes for whom it is (the PROXY protocol).
enum class proxy_header_mode : std::uint8_t {
  off,
  accept,  ///< a trusted one may; what does not begin so is a client's own connection
  require, ///< nobody else is served, and a trusted one must
};

/// Which field of a request a trusted proxy names its client in. One only: what a proxy does not write itself it
/// passes on as the client sent it.
enum class forwarded_field : std::uint8_t {
  off,
  x_forwarded_for, ///< `X-Forwarded-For`
  forwarded,       ///< `Forwarded` (RFC 7239)
};

/// What an operator says of the proxies in front.
struct proxy_rules {
  address_ranges trusted{};
  proxy_header_mode header = proxy_header_mode::off;
  forwarded_field field = forwarded_field::x_forwarded_for;
};

} // namespace canang::net
