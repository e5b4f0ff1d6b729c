#pragma once

#include "net/frame.hpp"

#include <string>
#include <string_view>

namespace canang::net {

/// How a message goes over a wire: what stands around its payload there. One object for each way, shared by all
/// loops, stateless.
class framing {
public:
  /// Appends one whole message. A way that knows no types takes no notice of `type`.
  virtual void append(std::string& out, frame_type type, std::string_view payload) const = 0;

  /// How the messages of a turn are gathered that all members of a room get; `finish` then makes of them what goes
  /// over the wire. Where this is the way itself, each message is whole already.
  [[nodiscard]] virtual const framing& of_turn() const noexcept { return *this; }

  /// Ends what `of_turn` has gathered, from the first message on. Where they are whole already it does nothing.
  virtual void finish(std::string& /*turn*/) const {}

  /// Whether what a turn brings is one message: then nobody can be given a part of it.
  [[nodiscard]] bool makes_one_of_turn() const noexcept { return &of_turn() != this; }

protected:
  ~framing() = default;
};

/// A WebSocket frame of the message's type (RFC 6455, 5.2).
[[nodiscard]] const framing& websocket_framing() noexcept;

/// WebSocket frames of one type, of which each may have several messages: what a turn brings is one frame. In one
/// of text they are parted by line ends; what is binary says its length itself.
[[nodiscard]] const framing& batched_text_framing() noexcept;
[[nodiscard]] const framing& batched_binary_framing() noexcept;

/// A line of a stream, which a line end ends: for text that has none in it.
[[nodiscard]] const framing& line_framing() noexcept;

/// Nothing around it: for messages that say their lengths themselves.
[[nodiscard]] const framing& bare_framing() noexcept;

} // namespace canang::net
