#include "net/http/authority.hpp"

#include "base/hex_digit.hpp"
#include "base/parse_number.hpp"

#include <boost/asio/ip/address.hpp>

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace canang::net {

namespace {

bool is_letter_or_digit(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// reg-name = *( unreserved / pct-encoded / sub-delims )
bool is_name(std::string_view host) noexcept {
  static constexpr std::string_view others = "-._~!$&'()*+,;=";
  for (std::size_t i = 0; i < host.size(); ++i) {
    if (host[i] == '%') {
      if (i + 2 >= host.size() || hex_digit(host[i + 1]) < 0 || hex_digit(host[i + 2]) < 0)
        return false;
      i += 2;
    } else if (!is_letter_or_digit(host[i]) && others.find(host[i]) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

bool is_bracketed_address(std::string_view host) noexcept {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (host.size() < 4 || host.size() > text.size() || host.front() != '[' || host.back() != ']')
    return false;
  std::copy(host.begin() + 1, host.end() - 1, text.begin());
  in6_addr address;
  return ::inet_pton(AF_INET6, text.data(), &address) == 1;
}

bool take_port(std::string_view digits, authority& into) noexcept {
  if (digits.empty())
    return true; // `host:` means no port (RFC 3986, 3.2.3)
  const auto port = parse_number<std::uint16_t>(digits);
  into.port = port.value_or(0);
  return port.has_value();
}

} // namespace

std::optional<authority> parse_authority(std::string_view text) noexcept {
  authority found{text};
  const auto bracket = text.rfind(']');
  const auto colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    found.host = text.substr(0, colon);
    if (!take_port(text.substr(colon + 1), found))
      return std::nullopt;
  }
  if (!is_name(found.host) && !is_bracketed_address(found.host))
    return std::nullopt;
  return found;
}

bool is_ip_address(std::string_view host) {
  if (is_bracketed_address(host))
    host = host.substr(1, host.size() - 2);
  boost::system::error_code ec;
  boost::asio::ip::make_address(std::string{host}, ec);
  return !ec;
}

std::uint16_t default_port(std::string_view scheme) noexcept {
  if (scheme == "http" || scheme == "ws")
    return 80;
  return scheme == "https" || scheme == "wss" ? 443 : 0;
}

std::string to_lower(std::string_view text) {
  std::string lower{text};
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

} // namespace canang::net
