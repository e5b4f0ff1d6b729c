#pragma once

#include "net/frame.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace canang::net {

/// A publication on its way to clients, as a dialect sees it. Views are valid during the call.
struct outgoing_publication {
  /// Something that a member said; or that one came or went, then `data` is that member as JSON.
  enum class kind : std::uint8_t { message, joined, left };

  frame_type type = frame_type::text;
  std::string_view data{};
  kind what = kind::message;
  std::string_view epoch{};
  std::uint64_t offset = 0;
};

/// Where a member stands in its room: what it is sent next follows `offset` of `epoch`.
struct room_position {
  std::string_view room;
  std::string_view epoch;
  std::uint64_t offset = 0;
  bool recovered = false; ///< nothing is missing before it
};

/// Why a publish failed, for the one who sent it.
enum class publish_fault : std::uint8_t {
  unavailable, ///< temporary; whether it was stored cannot be told
  refused,     ///< not stored
  not_allowed, ///< the client may not publish there
  too_large,   ///< for that room
};

/// The last publication that a client had.
struct resume_position {
  std::string epoch;
  std::uint64_t offset = 0;
};

/// What a client wants, whatever words it uses for it.
struct join_command {
  std::string room;
  bool echo = true;                       ///< gets its own publications too
  std::uint32_t history = 0;              ///< publications to be sent first, at most
  std::optional<resume_position> since{}; ///< instead of `history`: all that follows
  std::string user{};                     ///< as it names itself; may be empty
};
struct publish_command {
  frame_type type = frame_type::text;
  std::span<const char> data; ///< valid during the call only
};

/// Who takes a connection's commands.
class command_sink {
public:
  virtual void on_command(join_command&& command) = 0;
  virtual void on_command(const publish_command& command) = 0;

protected:
  ~command_sink() = default;
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

/// A language that clients speak over WebSocket. Stateless and shared by all loops.
class dialect {
public:
  /// The commands that opening a connection implies.
  virtual void on_open(const connection_parameters& parameters, command_sink& sink) const = 0;

  /// One message of a client into commands.
  virtual void decode(frame_type type, std::span<const char> message, command_sink& sink) const = 0;

  /// Appends the frame of a publication, ready for the wire; nothing where the dialect has no word for it.
  virtual void encode(const outgoing_publication& publication, std::string& frames) const = 0;

  /// Appends the answer to a join; nothing in a dialect that has no positions.
  virtual void encode_join(const room_position&, std::string&) const {}

  /// Appends that what follows continues at `at`, which is not where the member was; `at.recovered`:
  /// only the epoch changed, else publications were lost.
  /// @returns false when the dialect has no word for a loss: then the member has to be disconnected.
  virtual bool encode_break(const room_position& at, std::string&) const { return at.recovered; }

  /// Appends that the client's publish failed.
  /// @returns false when the dialect has no word for it: then the client has to be disconnected.
  virtual bool encode_publish_fault(publish_fault, std::string&) const { return false; }

protected:
  ~dialect() = default;
};

} // namespace canang::net
