#pragma once

#include "base/thread_owner.hpp"
#include "net/address_counts.hpp"
#include "net/emulation.hpp"
#include "net/frame_buffer.hpp"
#include "net/http/pool.hpp"
#include "net/lane_clients.hpp"
#include "net/limits.hpp"
#include "net/metrics.hpp"
#include "net/readiness.hpp"
#include "net/send_lanes.hpp"
#include "net/timing_wheel.hpp"
#include "net/tls/handshake_gate.hpp"
#include "net/websocket/frame_deflater.hpp"
#include "net/websocket/message_inflater.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <cassert>
#include <chrono>
#include <string>

namespace canang::net {

using executor_type = boost::asio::io_context::executor_type;
using tcp_endpoint = boost::asio::ip::tcp::endpoint;
/// A socket on the concrete executor: smaller and faster than one on `any_io_executor`.
using tcp_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, executor_type>;

/// `127.0.0.1:8000`, `[::1]:8000`.
[[nodiscard]] std::string to_text(const tcp_endpoint& endpoint);

/// What everything on one loop shares. Owned by the loop, used on its thread only (the metrics may be
/// read from any), and outlives every session.
struct loop_context {
  using clock = std::chrono::steady_clock;

  explicit loop_context(const session_limits& limits_of_sessions)
    : limits(limits_of_sessions),
      http(limits.max_http_connections, metrics.http_connections),
      deadlines(clock::now()) {}

  /// Time of this turn: read once when first asked for, and good enough wherever the length of a turn
  /// does not matter.
  [[nodiscard]] clock::time_point now() noexcept {
    if (!now_is_fresh_) {
      now_ = clock::now();
      now_is_fresh_ = true;
    }
    return now_;
  }

  /// Begins a turn: the next `now()` reads the clock.
  void new_turn() noexcept { now_is_fresh_ = false; }

  /// Begins one whose time is given: where time is simulated.
  void new_turn(clock::time_point now) noexcept {
    now_ = now;
    now_is_fresh_ = true;
  }

  /// Called by the loop's thread when it begins and when it ends.
  void bind_to_thread() noexcept { owner_.bind(); }
  void unbind() noexcept { owner_.unbind(); }

  /// For whatever says that it is used on its loop only.
  void assert_on_loop() const noexcept { assert(owner_.is_here()); }

  session_limits limits;
  loop_metrics metrics;
  buffer_pool buffers{metrics.outbox_memory_bytes};
  send_lanes lanes;
  /// The connections that are not WebSocket sessions.
  http_pool http;
  /// Whether answers end their connections, so that clients' next requests reach a node that stays. Set on any thread.
  std::atomic<bool> ends_http{false};
  /// Of the sessions whose addresses count.
  lane_tickets tickets;
  /// Of the sessions that came through a proxy.
  lane_clients clients;
  /// The sessions whose clients say what they have to say in requests of their own.
  emulated_sessions emulated;
  /// Handshake and close deadlines of this loop.
  timing_wheel deadlines;
  /// The sockets of the sessions.
  readiness sockets;
  /// Compresses what members of rooms are sent.
  frame_deflater deflater{metrics};
  /// Inflates what clients say.
  message_inflater inflater{metrics};

private:
  [[no_unique_address]] thread_owner owner_;
  clock::time_point now_{};
  bool now_is_fresh_ = false;

public:
  /// Behind all that its pending handlers and what they hold (sessions) use: those are destroyed with it.
  boost::asio::io_context io{1};
  /// To be armed before each wait on `io`.
  readiness_waker waker{io, sockets};
  /// Through which TLS handshakes go.
  handshake_gate handshakes{io};
};

} // namespace canang::net
