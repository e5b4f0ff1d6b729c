#pragma once

#include "net/framing.hpp"
#include "net/protocol/commands.hpp"

#include <chrono>
#include <memory>
#include <span>
#include <string>

namespace canang::net {

struct history_reply;
struct join_reply;

/// What is between one client and the server alone: turns what the client says into commands, and what
/// became of them into answers. Holds what its protocol has to remember of a client; a protocol that
/// remembers nothing has one object for all its clients. Owned by the connection, used on its loop.
class conversation {
public:
  conversation() = default;
  conversation(const conversation&) = delete;
  conversation& operator=(const conversation&) = delete;
  virtual ~conversation() = default;

  /// The connection goes, and needs it no longer.
  virtual void end() noexcept { delete this; }

  /// The connection is there: what its URL asked for, as commands.
  virtual void on_open(const connection_parameters& parameters, command_sink& sink) = 0;

  /// One message of the client, as commands.
  virtual void decode(frame_type type, std::span<const char> message, command_sink& sink) = 0;

  /// The client is who it has said to be: what it wants to do now can be done. Called by an `identify_command`, or later.
  virtual void on_admitted(command_sink&) {}

  /// How much longer than its token says a client may stay, that can refresh it.
  [[nodiscard]] virtual std::chrono::seconds refresh_grace() const noexcept { return {}; }

  /// What the room's settings make of a join, before anybody is asked about it.
  virtual void heed(const room_traits&, join_command&) const {}

  /// The server makes the client a member of a room: completes that as the protocol has it.
  /// @returns false where there is no word for it: then it does not become one.
  [[nodiscard]] virtual bool take_invitation(join_command&) const { return false; }

  /// Whether a client that is banned before its session is open is told so by a close: then the session is opened for
  /// that. Else it is refused, as one is that comes back by itself after a close.
  [[nodiscard]] virtual bool learns_by_close() const noexcept { return true; }

  // Answers to an `entering_command`.

  /// Appends one of its rooms to what the answer says of them: it has taken the client.
  virtual void encode_entered(const join_reply&, std::string& /*rooms*/) {}

  /// Appends the answer, with what it says of rooms.
  virtual void encode_connected(std::uint32_t /*request*/, std::string_view /*rooms*/,
                                const connection_facts&, const framing&, std::string&) {}

  /// Appends that a command failed.
  /// @returns false when there is no word for it: then the client has to be disconnected.
  virtual bool encode_fault(const failed_command&, const framing&, std::string&) { return false; }

  /// Appends that a publish is stored. Asked only for those that had a request.
  virtual void encode_stored(const stored_publish&, const framing&, std::string&) {}

  /// Appends until when a refresh holds.
  virtual void encode_refreshed(const refreshed&, const framing&, std::string&) {}

  /// Appends the answer to a call.
  virtual void encode_called(const call_answer&, const framing&, std::string&) {}

  /// Appends that the client has left the room: nothing of it follows.
  virtual void encode_left(const leave_command&, const framing&, std::string&) {}

  // Answers to queries. Asked only of those that have made some.
  virtual void encode_members(const members_answer&, const framing&, std::string&) {}
  virtual void encode_counts(const counts_answer&, const framing&, std::string&) {}
  virtual void encode_history(const history_reply&, const framing&, std::string&) {}
};

struct end_conversation {
  void operator()(conversation* one) const noexcept { one->end(); }
};

using conversation_ptr = std::unique_ptr<conversation, end_conversation>;

} // namespace canang::net
