#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

/// What a client says to its session through another node than the session's.

namespace canang::cluster {

/// Longest of what a client says, in bytes: as much as a request's body may have.
inline constexpr std::size_t max_relayed_bytes = 1024 * 1024;

/// Longest name of a session.
inline constexpr std::size_t max_relayed_session_bytes = 64;

struct relayed_message {
  std::string session;
  std::string data;
};

/// What became of it.
enum class relay_outcome : std::uint8_t {
  taken,   ///< the session has it
  unknown, ///< there is no such node, or it has no such session
  busy,    ///< too much waits there
  unavailable, ///< it could not be carried, or there was no answer in time: the session may have it all the same
};

} // namespace canang::cluster
