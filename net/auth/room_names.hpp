#pragma once

#include "net/auth/identity.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace canang::net {

/// What the operator has names of rooms say of who may be in them. Constant while a node runs; from any thread.
struct room_name_rules {
  std::string private_prefix{"$"}; ///< of rooms for which a token is needed; empty: there are none
  std::string user_boundary{"#"};  ///< users follow it, separated by commas; empty: they never do
  std::string
    personal_prefix{}; ///< a user follows it, to whom the room belongs; empty: there are none

  /// What the name says of one who is not in the room.
  enum class entitlement : std::uint8_t {
    none, ///< nothing
    owns, ///< the room is meant for this user
    barred,
  };

  /// @param has_users whether users may stand behind the boundary, by the room's settings.
  [[nodiscard]] entitlement of(std::string_view room, const identity& who, bool has_users) const;
};

} // namespace canang::net
