#include "net/address_ranges.hpp"

#include <algorithm>

namespace canang::net {

bool address_ranges::add(std::string_view text) {
  if (text == "unix") {
    has_unix_ = true;
    return true;
  }
  const auto range = read_address_prefix(text);
  if (range)
    ranges_.push_back(*range);
  return range.has_value();
}

bool address_ranges::contain(const boost::asio::ip::address& address) const noexcept {
  return std::any_of(ranges_.begin(), ranges_.end(),
                     [&](const auto& one) { return one.contains(address); });
}

} // namespace canang::net
