#pragma once

#include "net/address_counts.hpp"
#include "net/frame.hpp"
#include "net/loop_context.hpp"
#include "net/session.hpp"
#include "net/socket/client_socket.hpp"
#include "net/stream/response_head.hpp"
#include "net/websocket/session_words.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace canang::net {

/// What a protocol says on such a stream besides its messages. One object a protocol and framing, which outlives all
/// sessions.
struct emulated_stream_words {
  std::string_view content_type;
  frame_type type; ///< of what the client says
  /// `ping` is a whole message, `close` how a connection is closed that otherwise would be with this code and text.
  session_words words;
  /// Appends the message that says so.
  void (*append_close)(std::string& out, const session_words::last_word& why);
};

/// A client's request for a stream, checked already.
struct emulated_stream_request {
  client_socket socket;
  const emulated_stream_words& words;
  std::string message;     ///< what the client says first
  header_fields fields{};  ///< that the answer has besides its own: CORS
  address_ticket ticket{}; ///< kept as long as the session is there
};

/// A session that is an HTTP response without end, whose client says what it has to say in requests of its own: first
/// in the one that is answered by the stream, then in those that name the `secret` of the session. Not open yet.
/// `context` must outlive it.
///
/// What the client says passes the same handler as if it had come here, in the order in which it comes. While reading
/// is paused it waits here; beyond `max_emulated_bytes` and `max_emulated_messages` the requests that bring more are told
/// `busy`. None of them waits: what brings them here, between loops and nodes too, is shared with other clients.
///
/// **Life.** The client is there as long as it answers pings, with a message of its protocol. What it sends on the
/// stream's own connection is discarded, and proves nothing; the end of that connection is the end of the session.
[[nodiscard]] session_ptr make_emulated_stream(loop_context& context,
                                               emulated_stream_request&& request);

} // namespace canang::net
