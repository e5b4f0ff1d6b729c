#pragma once

#include "net/metrics.hpp"

#include <cstdint>
#include <string_view>

namespace canang::net {

/// What a protocol of its own says in place of WebSocket's pings and close codes. One object a protocol, which
/// outlives all sessions.
struct session_words {
  struct last_word {
    std::uint16_t code;
    std::string_view text;
  };

  /// A whole frame. Clients give up where it does not come.
  std::string_view ping;

  /// How a connection is closed that otherwise would be with this code and text.
  last_word (*close)(close_reason why, std::uint16_t code, std::string_view text);
};

} // namespace canang::net
