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

protected:
  ~framing() = default;
};

/// A WebSocket frame of the message's type (RFC 6455, 5.2).
[[nodiscard]] const framing& websocket_framing() noexcept;

} // namespace canang::net
