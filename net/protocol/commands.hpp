#pragma once

#include "net/auth/authorizer.hpp"
#include "net/frame.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What clients want, whatever words they use for it. A `request` is the number by which a client knows its
/// command again in the answer; 0: it wants no answer when all is well.

namespace canang::net {

/// The last publication that a client had.
struct resume_position {
  std::string epoch;
  std::uint64_t offset = 0;
};

/// The client has said who it is. Before that it may do nothing else.
struct identify_command {
  identity who{};
};

struct join_command {
  std::string room;
  bool echo = true;                       ///< gets its own publications too
  std::uint32_t history = 0;              ///< publications to be sent first, at most
  std::optional<resume_position> since{}; ///< instead of `history`: all that follows
  std::uint32_t request = 0;
};

struct leave_command {
  std::string_view room;
  std::uint32_t request = 0;
};

/// Views are valid during the call only.
struct publish_command {
  frame_type type = frame_type::text;
  std::span<const char> data;
  std::optional<std::string_view> room{}; ///< none: of a client that can be in one room only
  std::uint32_t request = 0;
  std::string_view idempotency_key{};
};

/// A further room that the URL of a connection asked for.
struct other_room {
  std::string room;
  std::optional<resume_position> since{};
};

/// What the URL of a connection asked for.
struct connection_parameters {
  std::string room;
  bool echo = true;
  std::uint32_t history = 0;
  std::optional<resume_position> since{};
  bool meta = false;  ///< publications with their positions
  std::string user{}; ///< who it says to be; may be empty
  std::vector<other_room> other_rooms{};
};

enum class command_kind : std::uint8_t { identify, join, leave, publish };

/// Why a command failed.
enum class command_fault : std::uint8_t {
  unidentified,      ///< it has not said who it is
  identified_before, ///< it has said that already
  bad_room,          ///< that cannot be the name of a room
  joined_before,     ///< it is in that room, or is joining it
  too_many_rooms,    ///< it is in as many as it may
  not_joined,        ///< it is not in that room, or not yet
  left,              ///< it left the room before this was done
  not_allowed,       ///< it may not
  room_limit,        ///< the node has as many rooms as it may, and this would be one more
  too_large,         ///< the room takes no message of that size
  unavailable,       ///< temporary; of a publish: whether it was stored cannot be told
  refused,           ///< not stored
};

struct failed_command {
  command_kind what = command_kind::publish;
  command_fault why = command_fault::unavailable;
  std::uint32_t request = 0;
  std::string_view room{};
};

/// A publish is stored. The views are valid during the call.
struct stored_publish {
  std::uint32_t request = 0;
  std::string_view epoch;
  std::uint64_t offset = 0;
};

/// Who takes a client's commands: its connection.
class command_sink {
public:
  /// Completes the handshake. Unless the protocol does it earlier, the first room does it that takes the
  /// client.
  virtual void open() = 0;

  virtual void on_command(identify_command&& command) = 0;
  virtual void on_command(join_command&& command) = 0;
  virtual void on_command(const leave_command& command) = 0;
  virtual void on_command(const publish_command& command) = 0;

  /// An answer for which nobody has to be asked. As dear to the client as a command.
  virtual void reply(frame_type type, std::string_view payload) = 0;

  /// The client has broken the rules of its protocol.
  virtual void close(std::uint16_t code, std::string_view text) = 0;

protected:
  ~command_sink() = default;
};

} // namespace canang::net
