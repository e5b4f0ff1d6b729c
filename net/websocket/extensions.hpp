#pragma once

#include "net/compression.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace canang::net {

/// What a handshake agreed on of extensions (RFC 6455, 9.1). There is one: permessage-deflate (RFC 7692).
struct extension_agreement {
  compression packing = compression::none;
  std::string answer{}; ///< for Sec-WebSocket-Extensions; empty: none
};

/// Takes the first offer of permessage-deflate in `offered` that can be taken, which are in the client's order
/// (RFC 7692, 5): all lines of Sec-WebSocket-Extensions. Neither side keeps a context from message to message
/// (7.1.1), as the answer says whatever was offered. Offers are declined that have a parameter which is unknown, comes
/// twice, or has a value that it may not have; and those of a server's window of 256 bytes, which zlib does not make.
/// @returns nothing when it is no list of extensions: then the connection is to be failed.
[[nodiscard]] std::optional<extension_agreement> agree_on_extensions(std::string_view offered);

} // namespace canang::net
