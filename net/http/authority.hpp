#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace canang::net {

/// `host[:port]` of a URL or a Host field (RFC 3986, 3.2). Views into the text.
struct authority {
  std::string_view host; ///< an IPv6 address with its brackets; may be empty
  std::optional<std::uint16_t> port{};
};

/// @returns nothing where `text` is no host with an optional port; user information is refused too
/// (RFC 9110, 4.2.4). An empty text is an empty host.
[[nodiscard]] std::optional<authority> parse_authority(std::string_view text) noexcept;

/// Whether a host is an IP address as it stands, and no name.
[[nodiscard]] bool is_ip_address(std::string_view host);

/// The port that a scheme in lower case means where none is given; 0 for one that is not known.
[[nodiscard]] std::uint16_t default_port(std::string_view scheme) noexcept;

/// Letters of ASCII in lower case: hosts and schemes do not care (RFC 3986, 6.2.2.1).
[[nodiscard]] std::string to_lower(std::string_view text);

} // namespace canang::net
