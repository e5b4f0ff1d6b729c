#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace canang::net {

/// Every limit of the network side, in one place, with its unit and the reason for the number.
/// What an operator may change is a member of `session_limits`; the rest is fixed.

/// Empty lines that are skipped before a request line: RFC 9112, 2.2, asks for one at least, which some
/// clients send behind a body; more than a few are no HTTP.
inline constexpr unsigned max_empty_lines = 8;

/// Longest room name in bytes of UTF-8, as in Centrifugo's protocol.
inline constexpr std::size_t max_room_name_bytes = 255;

/// A turn's frames of one room are flushed early once they fill this many bytes, so that a burst of
/// large messages cannot make one buffer (and every slow member's hold on it) arbitrarily large.
inline constexpr std::size_t max_turn_buffer_bytes = 256 * 1024;

/// Buffers larger than this are freed instead of kept for the next turn.
inline constexpr std::size_t max_pooled_buffer_bytes = 256 * 1024;

/// Buffers kept for reuse a loop.
inline constexpr std::size_t max_pooled_buffers = 64;

/// Bytes that a session reads in one call beyond the payload that it is in the middle of. It is what a
/// client whose reading is paused can have us hold, and enough for a message of 4 KiB with its header.
inline constexpr std::size_t read_ahead_bytes = 4096 + 128;

/// The buffer that all sessions of a loop read into: large payloads come in few calls, and what most
/// clients send at once stays in the first cache lines of it.
inline constexpr std::size_t scratch_bytes = 64 * 1024;

/// What one session may read in a turn: as many frames as there may be unanswered publishes of one
/// client, and as many bytes as a room's frames of a turn may fill. It goes on in the next turn.
inline constexpr std::size_t max_frames_a_turn = 256;
inline constexpr std::size_t max_read_bytes_a_turn = max_turn_buffer_bytes;

/// What all sessions of a loop may read in a turn, so that a flood of input cannot put off the writes:
/// each byte costs 1; a frame, an event and the end of a connection more, for what is done with them. These
/// are 4,096 small messages, a megabyte, or 64 connections that end (32 with a close frame: those are charged
/// when it is answered and when the socket is closed): a few milliseconds.
inline constexpr std::size_t max_cost_a_turn = 1024 * 1024;
inline constexpr std::size_t cost_of_frame = 256;
inline constexpr std::size_t cost_of_event = 64;
inline constexpr std::size_t cost_of_end = 16 * 1024;

/// Things that the kernel is asked for at once.
inline constexpr std::size_t max_events_a_poll = 1024;

/// The history that a joining member gets is encoded in pieces of so many bytes, or of one publication: what
/// a member that does not read can have us hold, and enough that a write is not dear.
inline constexpr std::size_t join_piece_bytes = 64 * 1024;

/// What one member is written of it in a turn. It goes on in the next turn; all of them together are charged
/// as reading is.
inline constexpr std::size_t max_join_bytes_a_turn = max_turn_buffer_bytes;

/// Encoded pieces that a loop keeps for members who join at the same place, besides those that somebody is
/// being sent: more than the history of a room, so a thousand that come back cost one encoding.
inline constexpr std::size_t max_join_pieces_bytes = 4 * 1024 * 1024;

/// How long they are kept when nobody asks for them: those who lost a node come back within seconds.
inline constexpr std::chrono::milliseconds join_piece_ttl{1000};

/// Places in rooms' histories for which a loop knows what it has encoded.
inline constexpr std::size_t max_join_pages = 64;

/// How long a page may take whose answer somebody else has to give.
inline constexpr std::chrono::milliseconds slow_page_timeout{3000};

/// HTTP requests served on one connection before it is closed, so that a balancer's long-lived
/// connections get spread again.
inline constexpr unsigned max_requests_a_connection = 1000;

/// Pause of a listener that ran out of descriptors or memory, before it accepts again.
inline constexpr std::chrono::milliseconds accept_backoff{100};

/// How long a closed connection is read and discarded, waiting for the peer's FIN, before its socket
/// is closed for good: an immediate close could destroy the close frame on its way (RFC 9293 3.10.7).
inline constexpr std::chrono::milliseconds linger_timeout{2000};

/// Limits of a session that an operator may set.
struct session_limits {
  /// Largest message a client may send, in bytes, over all its fragments.
  std::size_t max_message_bytes = 64 * 1024;
  /// Bytes that may wait for one client before it counts as a slow consumer.
  std::size_t max_outbox_bytes = 1024 * 1024;
  /// Time from accept to the end of the request's headers.
  std::chrono::milliseconds handshake_timeout{10'000};
  /// Time from our close frame to the end of the connection, answered or not.
  std::chrono::milliseconds close_timeout{5'000};
  /// Longest request line plus headers, in bytes: cookies of a site's other services come along, and
  /// balancers in front let 8 to 64 KiB through.
  std::size_t max_header_bytes = 16 * 1024;
};

} // namespace canang::net
