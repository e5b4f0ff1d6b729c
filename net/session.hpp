#pragma once

#include "net/frame.hpp"
#include "net/frame_source.hpp"
#include "net/metrics.hpp"
#include "net/outbox.hpp"
#include "net/send_lanes.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace canang::net {

/// How a connection ended.
struct close_info {
  /// Close code that went over the wire, or 1005 (none was given) or 1006 (no close frame).
  std::uint16_t code = 1006;
  close_reason reason = close_reason::abnormal;
};

/// What a session tells the one who uses it. Called on the session's loop, and never from inside a
/// call into the session: a handler may call any function of the session, also from its callbacks.
class session_handler {
public:
  virtual ~session_handler() = default;

  /// A whole message. `payload` is valid during the call only.
  virtual void on_message(frame_type type, std::span<const char> payload) = 0;

  /// A frame that completes no message: a ping, a pong, or a part of one. It is work too.
  virtual void on_frame() {}

  /// The connection is over; nothing follows, and the session drops the handler after the call.
  virtual void on_closed(const close_info& info) = 0;
};

/// One client's connection, as the actors see it. Lives on one loop, not thread-safe, counted without
/// atomics. The real one is `websocket_session`; tests have another.
class session : public boost::intrusive_ref_counter<session, boost::thread_unsafe_counter> {
public:
  using clock = std::chrono::steady_clock;

  virtual ~session() = default;

  /// Sets the one who hears of this session. Once, before `open`.
  virtual void attach(std::unique_ptr<session_handler> handler) = 0;

  /// Completes the handshake and begins to read. What is sent before is dropped.
  virtual void open() = 0;

  /// False until `open`; false again once the connection is closing or gone.
  [[nodiscard]] virtual bool is_open() const noexcept = 0;

  /// Sends the frames in [`from`, `to`) of `buffer`. A session that is over its outbox limit for longer than
  /// its grace, or far over it, is a slow consumer: it is closed with 1008, and the handler hears of it later.
  virtual send_status send(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to) = 0;

  /// Where to look whether it may be written to directly (see `send_lanes`). Who does so and gets only a
  /// part of a slice through hands the rest to `send_rest`; on a fault, the whole slice to `send`.
  [[nodiscard]] virtual std::uint32_t lane() const noexcept { return send_lanes::none; }

  /// Queues [`from`, `to`), the rest of a slice whose first bytes the socket has taken already.
  virtual send_status send_rest(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to) {
    return send(buffer, from, to);
  }

  /// Sends some slices in their order, with one write where nothing waits.
  /// @returns how many of them, from the first, are sent or queued; the others are dropped, as by `send`.
  virtual std::size_t send_slices(std::span<const frame_slice> slices) {
    std::size_t taken = 0;
    for (const auto& one : slices)
      if (send(frame_buffer_ptr{one.buffer}, one.from, one.to) != send_status::dropped)
        ++taken;
    return taken;
  }

  /// Whether something waits that the client has not taken: then what is sent now would wait behind it.
  [[nodiscard]] virtual bool has_waiting() const noexcept { return false; }

  /// Answers a join: sends the frames of `head`, maybe none, as `send` does; behind them what `rest` gives,
  /// if it is not null, as the client takes it. What is sent later waits behind all of it. However long
  /// it is, `rest` makes nobody a slow consumer.
  virtual send_status send_reply(const frame_buffer_ptr& head, frame_source_ptr rest) = 0;

  /// A source that was not ready is so now: sends what waits.
  virtual void go_on_sending() {}

  /// Answers the handshake with 503, or 403 to who may not, tells why, and ends the connection. Instead of `open`.
  virtual void refuse(reject_reason reason) = 0;

  /// Stops or resumes reading (flow control). Pong and close frames of the client wait meanwhile.
  virtual void pause_reading(bool paused) = 0;

  /// Whether the client has sent something, as far as is known, that was not read yet.
  [[nodiscard]] virtual bool has_unread() const noexcept { return false; }

  /// Sends what waits, then a close frame, and ends the connection when the client has answered or
  /// the close timeout is over.
  virtual void close(std::uint16_t code, std::string_view text, close_reason reason) = 0;

  /// Ends the connection at once, without a close frame.
  virtual void abort(close_reason reason) = 0;

  /// When the client was last heard: any byte counts, and while reading is paused also one that is there and
  /// not read. Coarse, as exact as a turn is long.
  [[nodiscard]] virtual clock::time_point last_heard() const noexcept = 0;

  /// The client's address and port as text, for logs; empty when it cannot be had any more.
  [[nodiscard]] virtual std::string peer() const = 0;

  /// Asks the client whether it is there: with an empty ping frame, or what its protocol has for that.
  virtual void ping() = 0;

  /// Whether the client gives up where it hears no pings: then it is pinged though it was heard.
  [[nodiscard]] virtual bool expects_pings() const noexcept { return false; }

  /// By what requests of its client name it, where the client says nothing on the session itself: nobody else is to
  /// know it. Empty where there is none, and until `open`.
  [[nodiscard]] virtual std::string secret() const { return {}; }
};

using session_ptr = boost::intrusive_ptr<session>;

} // namespace canang::net
