#pragma once

#include <cstdint>

namespace canang {

/// Who may do something in a room, as an operator says it. The settings of rooms have it, and whoever decides
/// by them.
enum class who_may : std::uint8_t {
  anyone,
  users,   ///< who has proved who they are
  members, ///< of the room
  token,   ///< whose token says so
  nobody,  ///< of the clients: the server API alone
};

} // namespace canang
