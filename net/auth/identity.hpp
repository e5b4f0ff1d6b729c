#pragma once

#include "net/auth/proof.hpp"
#include "net/auth/token_claims.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace canang::net {

/// Who a connection is.
struct identity {
  std::string user{};     ///< as it names itself, or as its token does; may be empty
  bool is_proved = false; ///< by a token
  std::string info{};     ///< what its token has others know of it: JSON, or nothing
  std::vector<token_grant>
    grants{}; ///< what its token allows it beyond what the rooms' settings do
};

/// What a client shows to say who it is.
struct credentials {
  std::string user{};       ///< as it names itself; may be empty
  std::string token{};      ///< empty: it has none
  bool is_of_field = false; ///< it came in `Authorization`, and may be meant for somebody else
  std::string room{}; ///< the token may be one of this room: its bearer has no other way to show it
  bool is_known = false; ///< it has shown one before
};

/// When a connection or a membership ends unless it is refreshed, in seconds of Unix time. None: never.
using expiry = std::optional<std::int64_t>;

/// Who a client turned out to be.
struct client_admission {
  identity who{};
  expiry expires_at{};
  std::vector<std::string> rooms{}; ///< that its token has it put in
};

/// What a token of a room says of its bearer's time there.
struct room_pass {
  expiry expires_at{};
  std::string info{}; ///< JSON, or nothing
};

} // namespace canang::net
