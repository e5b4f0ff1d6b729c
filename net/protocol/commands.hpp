#pragma once

#include "net/auth/authorizer.hpp"
#include "net/frame.hpp"
#include "net/hooks/hook_origin.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What clients want, whatever words they use for it. A `request` is the number by which a client knows its
/// command again in the answer; 0: it wants no answer when all is well.

namespace canang::net {

struct wire_format;

/// The last publication that a client had.
struct resume_position {
  std::string epoch;
  std::uint64_t offset = 0;
};

/// The client has said who it is. Before that it may do nothing else. `conversation::on_admitted` follows when it is
/// believed.
struct identify_command {
  credentials shown{};
  // for whoever decides about it
  std::string data{};               ///< JSON, or bytes; empty: nothing
  std::string name{};               ///< of the client's program
  std::string version{};            ///< likewise
  std::vector<std::string> rooms{}; ///< that the server is to put it in
};

/// The client shows that it still is who it was. Views are valid during the call only.
struct refresh_command {
  std::string_view token;
  std::uint32_t request = 0;
  std::optional<std::string_view> room{}; ///< the token is of that room: it may stay there
};

/// Until when a client is what it has shown to be. In the reply to a refresh, or where the server wants it so.
struct refreshed {
  std::uint32_t request = 0; ///< 0: the client has not asked
  bool is_of_room = false;
  std::optional<std::uint32_t> expires_in_s{}; ///< none: never
};

/// What a room's settings say to protocols that have words for it.
struct room_traits {
  bool is_positioned = false;  ///< members are told that they have a position, asked or not
  bool is_recoverable = false; ///< and that they can recover, which then needs no other permission
  bool keeps_newest = false;   ///< who recovers wants the newest publication alone
  bool offers_newest = false;  ///< and gets it unasked
  bool tells_changes = false;  ///< members that want that are told publications as what they change
};

struct join_command {
  std::string room;
  bool echo = true;                       ///< gets its own publications too
  std::uint32_t history = 0;              ///< publications to be sent first, at most
  std::optional<resume_position> since{}; ///< instead of `history`: all that follows
  bool newest_only =
    false; ///< instead: the newest publication, unless that of `since` is the newest
  bool may_recover = false; ///< nobody has to be asked whether it may
  std::uint32_t request = 0;
  std::uint8_t note =
    0; ///< what the protocol wants to know when it answers; it comes back in `join_reply`
  const wire_format* format = nullptr; ///< of this membership; null: the connection's
  std::string token{};                 ///< of the room; empty: the client has none
  std::string data{};                  ///< for whoever decides about it: JSON, or bytes
};

/// The client has said who it is, and is answered when it is in the rooms that the server has chosen for it.
struct entering_command {
  std::vector<join_command> rooms;
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
  bool is_from_outside = false; ///< it need not be in the room, where that is allowed
  bool tells_author =
    false; ///< members are told who it is, where their protocol has a word for that
  std::string_view idempotency_key{};
};

/// The client asks something of the operator's own program. Views are valid during the call only.
struct call_command {
  std::string_view method{};
  std::string_view data{}; ///< JSON, or bytes; may be empty
  std::uint32_t request = 0;
};

/// What the operator's program has the client told. UTF-8 where `type` is text. The view is valid
/// during the call.
struct told_data {
  frame_type type = frame_type::text;
  std::string_view bytes{}; ///< empty: nothing
};

[[nodiscard]] inline told_data told(const hook_data_ptr& by_program) noexcept {
  return by_program ? told_data{by_program->type, by_program->bytes} : told_data{};
}

/// The answer to a `call_command`.
struct call_answer {
  std::uint32_t request = 0;
  told_data data{};
};

/// What a client wants to know of a room. Views are valid during the call only.
struct query_command {
  enum class subject : std::uint8_t { members, counts, history };

  subject what = subject::members;
  std::string_view room;
  std::uint32_t request = 0;

  // of the history
  std::size_t limit = 0; ///< publications at most
  std::optional<resume_position> since{};
  bool is_reverse = false; ///< the newest first
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
  bool meta = false;              ///< publications with their positions
  std::string user{};             ///< who it says to be; may be empty
  std::string token{};            ///< that says who it is; may be empty
  bool is_token_of_field = false; ///< see `credentials::is_of_field`
  std::vector<other_room> other_rooms{};
  hook_origin_ptr origin{}; ///< null: nobody outside is asked about clients
};

enum class command_kind : std::uint8_t { identify, join, leave, publish, query, refresh, call };

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
  not_kept,          ///< the room does not keep what is asked for
  too_much,          ///< the answer would be too long
  unrecoverable,     ///< what is asked for is gone
  no_token,          ///< nobody is let in without one
  bad_token,         ///< it is not ours, or not for this
  token_expired,     ///< it was good
  banned,            ///< somebody has banned it from there
  muted,             ///< somebody has its publishes refused there
  locked,            ///< only moderators may publish there at present
  too_soon,          ///< it has just published there, and has to wait
  room_full,         ///< the room has as many members as it may
};

/// How the operator's program words a fault. The view is valid during the call.
struct worded_fault {
  std::uint32_t code = 0;
  std::string_view text{};
  bool is_temporary = false; ///< the client may try again
};

struct failed_command {
  command_kind what = command_kind::publish;
  command_fault why = command_fault::unavailable;
  std::uint32_t request = 0;
  std::string_view room{};
  const worded_fault* worded = nullptr; ///< instead of `why`, in protocols that have words for that
  std::string_view text{}; ///< of the reason, where there is more to say than the fault does
};

/// A publish is stored. The views are valid during the call.
struct stored_publish {
  std::uint32_t request = 0;
  std::string_view epoch;
  std::uint64_t offset = 0;
};

/// A member of a room, as others are told of it.
struct member_view {
  std::string_view id;
  std::string_view user;   ///< may be empty
  std::string_view info{}; ///< what the token of its connection says: one line of JSON, or nothing
  std::string_view room_info{}; ///< likewise that of the room
};

/// Who is in a room. Views are valid during the call.
struct members_answer {
  std::uint32_t request = 0;
  std::span<const member_view> members;
};

struct counts_answer {
  std::uint32_t request = 0;
  std::uint64_t connections = 0;
  std::uint64_t users = 0; ///< different ones
};

/// What a connection is to its node.
struct connection_facts {
  std::string_view node;                       ///< the node's id
  std::uint64_t connection = 0;                ///< the connection's number there
  std::chrono::milliseconds pings{};           ///< how often it is pinged
  std::string session{};                       ///< see `session::secret`
  std::vector<std::string> rooms{};            ///< that the server has chosen for who it is
  std::optional<std::uint32_t> expires_in_s{}; ///< none: it need not be refreshed
  told_data data{};                            ///< for the answer to who it is
};

/// What a client is called, as the presence has it: `NODE/CONNECTION`.
[[nodiscard]] inline std::string client_name(const connection_facts& facts) {
  std::string name{facts.node};
  name += '/';
  name += std::to_string(facts.connection);
  return name;
}

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
  virtual void on_command(const query_command& command) = 0;

  /// Answered with `conversation::encode_refreshed`.
  virtual void on_refresh(const refresh_command&) {}

  /// Answered with `conversation::encode_connected`.
  virtual void on_entering(entering_command&&) {}

  /// Answered with `conversation::encode_called`.
  /// @returns false where nobody answers calls.
  virtual bool on_call(const call_command&) { return false; }

  [[nodiscard]] virtual connection_facts facts() const { return {}; }

  /// An answer for which nobody has to be asked. As dear to the client as a command.
  virtual void reply(frame_type type, std::string_view payload) = 0;

  /// The client has broken the rules of its protocol. What else its message says need not be read any more.
  virtual void close(std::uint16_t code, std::string_view text) = 0;

protected:
  ~command_sink() = default;
};

} // namespace canang::net
