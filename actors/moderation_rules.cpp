#include "actors/moderation_rules.hpp"

#include <string>

namespace canang::actors {

std::optional<boost::asio::ip::address> address_in(std::string_view peer) {
  if (peer.starts_with('[')) {
    const auto end = peer.find(']');
    if (end == std::string_view::npos)
      return std::nullopt;
    peer = peer.substr(1, end - 1);
  } else if (const auto colon = peer.find(':');
             colon != std::string_view::npos && colon == peer.rfind(':')) {
    peer = peer.substr(0, colon);
  }
  boost::system::error_code ec;
  const auto address = boost::asio::ip::make_address(std::string{peer}, ec);
  return ec ? std::nullopt : std::optional{address};
}

} // namespace canang::actors
