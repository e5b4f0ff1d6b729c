#include "base/address_prefix.hpp"

#include "base/parse_number.hpp"

#include <algorithm>

namespace canang {

namespace {

namespace ip = boost::asio::ip;

constexpr unsigned all_bits = 128;
constexpr unsigned bits_of_ipv4 = all_bits - address_prefix::bits_before_ipv4;

std::array<std::uint8_t, 16> bytes_of(const ip::address& address) noexcept {
  return address.is_v4() ? ip::make_address_v6(ip::v4_mapped, address.to_v4()).to_bytes()
                         : address.to_v6().to_bytes();
}

/// Of a prefix, in bits of IPv6.
std::optional<unsigned> read_length(std::string_view text, bool is_ipv4) {
  const auto given = parse_number<unsigned>(text);
  if (!given || *given > (is_ipv4 ? bits_of_ipv4 : all_bits))
    return std::nullopt;
  return is_ipv4 ? address_prefix::bits_before_ipv4 + *given : *given;
}

} // namespace

address_prefix prefix_of(const ip::address& address, std::uint8_t bits) noexcept {
  address_prefix prefix{.first = bytes_of(address), .bits = bits};
  for (std::size_t i = 0; i < prefix.first.size(); ++i) {
    const auto kept = std::clamp(static_cast<int>(bits) - static_cast<int>(8 * i), 0, 8);
    prefix.first[i] = static_cast<std::uint8_t>(prefix.first[i] & (0xFF00U >> kept));
  }
  return prefix;
}

bool address_prefix::contains(const ip::address& address) const noexcept {
  return prefix_of(address, bits).first == first;
}

std::optional<address_prefix> read_address_prefix(std::string_view text) {
  const auto slash = text.find('/');
  boost::system::error_code ec;
  const auto address = ip::make_address(std::string{text.substr(0, slash)}, ec);
  if (ec || (address.is_v6() && address.to_v6().scope_id() != 0))
    return std::nullopt;
  auto bits = std::optional{all_bits};
  if (slash != std::string_view::npos)
    bits = read_length(text.substr(slash + 1), address.is_v4());
  if (!bits)
    return std::nullopt;
  const auto prefix = prefix_of(address, static_cast<std::uint8_t>(*bits));
  return prefix.first == bytes_of(address) ? std::optional{prefix} : std::nullopt;
}

std::string to_text(const address_prefix& prefix) {
  const ip::address_v6 address{prefix.first};
  const bool is_ipv4 = address.is_v4_mapped() && prefix.bits >= address_prefix::bits_before_ipv4;
  auto text =
    is_ipv4 ? ip::make_address_v4(ip::v4_mapped, address).to_string() : address.to_string();
  text += '/';
  text += std::to_string(is_ipv4 ? prefix.bits - address_prefix::bits_before_ipv4 : prefix.bits);
  return text;
}

} // namespace canang
