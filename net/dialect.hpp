#pragma once

#include "net/frame.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace canang::net {

/// A publication on its way to clients, as a dialect sees it. Views are valid during the call.
struct outgoing_publication {
  frame_type type = frame_type::text;
  std::string_view data;
};

/// What a client wants, whatever words it uses for it.
struct join_command {
  std::string room;
  bool echo = true;          ///< gets its own publications too
  std::uint32_t history = 0; ///< publications to be sent first, at most
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

/// What the URL of a connection asked for.
struct connection_parameters {
  std::string room;
  bool echo = true;
  std::uint32_t history = 0;
};

/// A language that clients speak over WebSocket. Stateless and shared by all loops.
class dialect {
public:
  /// The commands that opening a connection implies.
  virtual void on_open(const connection_parameters& parameters, command_sink& sink) const = 0;

  /// One message of a client into commands.
  virtual void decode(frame_type type, std::span<const char> message, command_sink& sink) const = 0;

  /// Appends the frame of a publication, ready for the wire.
  virtual void encode(const outgoing_publication& publication, std::string& frames) const = 0;

protected:
  ~dialect() = default;
};

} // namespace canang::net
