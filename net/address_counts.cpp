#include "net/address_counts.hpp"

#include <algorithm>

namespace canang::net {

namespace {

/// Of IPv4 addresses, behind which they stand: the prefix of a multicast address (RFC 4291, 2.7), which no
/// connection comes from.
constexpr std::uint64_t ipv4_prefix = 0xFFFFFFFF'00000000ULL;

} // namespace

address_ticket::~address_ticket() {
  if (place_ != nullptr)
    place_->owner.give_back(*place_);
}

std::uint64_t address_counts::key_of(const boost::asio::ip::address& address) noexcept {
  if (address.is_v4())
    return ipv4_prefix | address.to_v4().to_uint();
  const auto bytes = address.to_v6().to_bytes();
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < 8; ++i)
    first = first << 8U | bytes[i];
  if (!address.to_v6().is_v4_mapped())
    return first;
  std::uint64_t last = 0;
  for (std::size_t i = 12; i < 16; ++i)
    last = last << 8U | bytes[i];
  return ipv4_prefix | last;
}

address_counts::arrival address_counts::arrive(const boost::asio::ip::address& from) {
  const auto key = key_of(from);
  const std::lock_guard lock{mutex_};
  auto& place = places_.try_emplace(key, address_ticket::place{*this, key}).first->second;
  if (place.connections >= limit_ + std::max<std::uint64_t>(limit_ / 8, 1))
    return {verdict::shut};
  ++place.connections;
  return {place.connections > limit_ ? verdict::told : verdict::served, address_ticket{place}};
}

void address_counts::give_back(address_ticket::place& place) noexcept {
  const std::lock_guard lock{mutex_};
  if (--place.connections == 0)
    places_.erase(place.key);
}

std::size_t address_counts::size() const {
  const std::lock_guard lock{mutex_};
  return places_.size();
}

} // namespace canang::net
