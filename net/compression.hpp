#pragma once

#include <cstddef>
#include <cstdint>

namespace canang::net {

/// How what a WebSocket connection says may be compressed, as its handshake agreed (permessage-deflate, RFC 7692).
/// Without context takeover in either direction: each message is compressed by itself, so all members of a room can
/// have the same bytes, and nothing is kept for a connection.
enum class compression : std::uint8_t {
  none,
  deflate,        ///< what the server says has a window of 32 KiB
  narrow_deflate, ///< of 512 bytes: for clients that ask for less than 32 KiB
};
inline constexpr std::size_t compression_count = 3;

} // namespace canang::net
