#pragma once

#include "net/http/types.hpp"
#include "net/proxy_rules.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <optional>

namespace canang::net {

/// For whom a proxy makes a request.
struct forwarded_client {
  enum class finding : std::uint8_t {
    unknown, ///< nobody says, or a proxy says that it does not know
    found,
    bad, ///< the field cannot be read: where one item ends may have been the client's choice
  };

  finding what = finding::unknown;
  boost::asio::ip::tcp::endpoint address{}; ///< its port is 0 where none is told
};

/// Reads the field that `rules` name, of a request whose sender is trusted: from the right, the first address that is
/// not itself trusted; where all are, the leftmost. What stands further to the left the client may have made up. Looks
/// at `max_forwarded_hops` at most.
[[nodiscard]] forwarded_client read_forwarded(const http_request_header& request,
                                              const proxy_rules& rules);

} // namespace canang::net
