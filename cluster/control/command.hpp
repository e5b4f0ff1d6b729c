#pragma once

#include "cluster/publication.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What nodes tell each other to do, and what came of it.

namespace canang::cluster {

/// Longest name of a user or a room in a command, in bytes: that of the protocols.
inline constexpr std::size_t max_control_name_bytes = 255;

/// Longest reason, in bytes: a close frame has no room for more (RFC 6455, 5.5).
inline constexpr std::size_t max_control_reason_bytes = 123;

/// Longest message on a control channel, in bytes: twice what the largest command of today takes. What is longer is
/// not looked into.
inline constexpr std::size_t max_control_message_bytes = 2048;

/// Longest name of a connection, `NODE/NUMBER` as in the presence, in bytes; and how many of them a disconnect may spare.
inline constexpr std::size_t max_control_client_bytes = 40;
inline constexpr std::size_t max_spared_clients = 32;

/// Close codes that a command may name: those of applications and libraries (RFC 6455, 7.4.2).
inline constexpr std::uint16_t min_control_code = 3000;
inline constexpr std::uint16_t max_control_code = 4999;

// Where a command names a `client`, it is about that connection of the user alone; then the user may be empty, for one
// that has none.

/// Close all connections of a user.
struct disconnect_user {
  std::string user;
  std::uint16_t code = 0; ///< what the connections are closed with
  std::string reason{};   ///< UTF-8
  std::string client{};
  std::vector<std::string> spared{}; ///< connections that are left alone

  friend bool operator==(const disconnect_user&, const disconnect_user&) = default;
};

/// Take all connections of a user out of a room.
struct remove_from_room {
  std::string user;
  std::string room;
  std::string client{};

  friend bool operator==(const remove_from_room&, const remove_from_room&) = default;
};

/// Make all connections of a user members of a room. They get what followed `since` first.
struct add_to_room {
  std::string user;
  std::string room;
  std::string client{};
  std::optional<position> since{};

  friend bool operator==(const add_to_room&, const add_to_room&) = default;
};

/// Let all connections of a user stay until then.
struct refresh_user {
  std::string user;
  std::string client{};
  std::optional<std::int64_t> expires_at{}; ///< seconds of Unix time; none: for good

  friend bool operator==(const refresh_user&, const refresh_user&) = default;
};

/// Say how many connections a user has; changes nothing.
struct count_user {
  std::string user;
  std::string client{};

  friend bool operator==(const count_user&, const count_user&) = default;
};

/// Read what is new among the acts of moderators, and say what the one of that key has ended.
struct read_acts {
  std::string key{};         ///< see `cluster/moderation/act.hpp`
  std::uint64_t made_ms = 0; ///< when that was ordered which is to be known
  bool is_lifted = false;    ///< that it is not in force any more
  std::string client{};      ///< always empty

  friend bool operator==(const read_acts&, const read_acts&) = default;
};

/// Longest such key, in bytes.
inline constexpr std::size_t max_control_key_bytes = 2 * max_control_name_bytes + 4;

using control_command =
  std::variant<disconnect_user, remove_from_room, add_to_room, refresh_user, read_acts, count_user>;

/// What a command met on one node.
enum class control_outcome : std::uint8_t {
  done,        ///< executed, and answered
  unsupported, ///< answered: the node is older than the command
  timed_out,   ///< no answer in time; it may be executed all the same, also later
  gone,        ///< no answer, and the node has no lease any more
};

struct node_outcome {
  std::string node;
  control_outcome outcome = control_outcome::timed_out;
  std::uint64_t count = 0; ///< connections that were closed, removed, added or only counted
};

enum class control_errc : std::uint8_t {
  none,
  busy,      ///< too many commands of this node have no answer yet; nothing was done
  too_large, ///< a name or reason is empty or too long, or a code is none; nothing was done
};

struct control_result {
  control_errc error = control_errc::none;
  std::vector<node_outcome> nodes; ///< this node is the first
  /// Which nodes there are was known. False: no Redis could be asked since this node started, so that only this
  /// node was told.
  bool is_whole = true;
};

using control_handler = std::function<void(control_result&&)>;

} // namespace canang::cluster
