#include "net/address_ranges.hpp"

#include "base/parse_number.hpp"

#include <algorithm>
#include <string>

namespace canang::net {

namespace {

namespace ip = boost::asio::ip;

using bytes = std::array<std::uint8_t, 16>;

constexpr unsigned all_bits = 128;
constexpr unsigned bits_of_ipv4 = 32;

bytes bytes_of(const ip::address& address) {
  return address.is_v4() ? ip::make_address_v6(ip::v4_mapped, address.to_v4()).to_bytes()
                         : address.to_v6().to_bytes();
}

/// Whether the first `prefix` bits are the same.
bool share_prefix(const bytes& one, const bytes& other, unsigned prefix) noexcept {
  const auto whole = prefix / 8;
  if (!std::equal(one.begin(), one.begin() + whole, other.begin()))
    return false;
  const auto rest = prefix % 8;
  return rest == 0 || ((one[whole] ^ other[whole]) >> (8U - rest)) == 0;
}

/// Whether nothing stands behind the first `prefix` bits.
bool ends_at(const bytes& address, unsigned prefix) noexcept {
  auto rest = address;
  for (unsigned bit = 0; bit < prefix; ++bit)
    rest[bit / 8] = static_cast<std::uint8_t>(rest[bit / 8] & ~(0x80U >> bit % 8));
  return rest == bytes{};
}

} // namespace

bool address_ranges::add(std::string_view text) {
  if (text == "unix") {
    has_unix_ = true;
    return true;
  }
  const auto slash = text.find('/');
  boost::system::error_code ec;
  const auto address = ip::make_address(std::string{text.substr(0, slash)}, ec);
  if (ec || (address.is_v6() && address.to_v6().scope_id() != 0))
    return false;
  unsigned prefix = all_bits;
  if (slash != std::string_view::npos) {
    const auto given = parse_number<unsigned>(text.substr(slash + 1));
    if (!given || *given > (address.is_v4() ? bits_of_ipv4 : all_bits))
      return false;
    prefix = address.is_v4() ? all_bits - bits_of_ipv4 + *given : *given;
  }
  const auto first = bytes_of(address);
  if (!ends_at(first, prefix))
    return false;
  ranges_.push_back({first, prefix});
  return true;
}

bool address_ranges::contain(const ip::address& address) const noexcept {
  const auto asked = bytes_of(address);
  return std::any_of(ranges_.begin(), ranges_.end(),
                     [&](const range& one) { return share_prefix(one.first, asked, one.prefix); });
}

} // namespace canang::net
