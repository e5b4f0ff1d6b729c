#pragma once

#include "net/address_counts.hpp"
#include "net/loop_context.hpp"
#include "net/readiness.hpp"
#include "net/send_queue.hpp"
#include "net/session.hpp"
#include "net/socket/byte_layer.hpp"
#include "net/socket/client_socket.hpp"

#include <boost/system/error_code.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace canang::net {

/// What sessions on a socket have in common: all that they write, and their end. A queue of what the client
/// has not taken yet, the lane by which a fan-out writes past the session, the limits that make a slow consumer,
/// and the linger at the end, in which what the client still sends is discarded.
///
/// What the client's bytes mean is up to the class on top of it, and so are the answer that opens the session and
/// its last words.
///
/// Counted by reference: the readiness set holds one while it watches the socket, so a session goes when its
/// socket is closed and nobody else refers to it. Lives on the loop of its context.
class socket_session : public session, readiness::listener, byte_sink, timing_wheel::entry {
public:
  ~socket_session() override;

  void attach(std::unique_ptr<session_handler> handler) final { handler_ = std::move(handler); }
  bool is_open() const noexcept final { return state_ == state::open; }
  send_status send(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to) final;
  std::size_t send_slices(std::span<const frame_slice> slices) final;
  std::uint32_t lane() const noexcept final { return lane_; }
  send_status send_rest(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to) final;
  bool has_waiting() const noexcept final { return !is_all_written(); }
  send_status send_reply(const frame_buffer_ptr& head, frame_source_ptr rest) final;
  void go_on_sending() final { on_writable(); }
  void abort(close_reason reason) final;
  std::string peer() const final;

protected:
  enum class state : std::uint8_t {
    opening,   // the request is not answered yet
    open,      //
    closing,   // our last words are queued, and the client has the word
    lingering, // nobody has anything more to say; waiting for the outbox, then for the client's FIN
    closed,
  };

  /// `layer` may be null; else it is above what the socket has. The ticket is kept as long as the session is there.
  socket_session(loop_context& context, client_socket&& socket, std::unique_ptr<byte_layer>&& layer,
                 address_ticket&& ticket);

  [[nodiscard]] loop_context& context() const noexcept { return context_; }
  [[nodiscard]] state phase() const noexcept { return state_; }
  [[nodiscard]] session_handler* handler() const noexcept { return handler_.get(); }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

  // its opening

  /// Answers the request and begins to watch the socket.
  /// @returns false when that was not possible, and the connection is aborted.
  bool open_with(const frame_buffer_ptr& answer);

  /// Ends a connection that was never opened with `answer`, whole.
  void refuse_with(std::string_view answer, reject_reason reason);

  // what it reads

  /// Takes note of what the readiness set tells, and writes where there is room again.
  /// @returns whether the client's input is to be read now.
  bool note(std::uint32_t events);

  /// Reads once from the socket, and keeps track of whether there is more. As `byte_layer::read`. What it costs is
  /// charged; the session's own share of the turn is up to the caller.
  read_result read_once(std::span<char> into);

  /// As far as is known there is something in the socket.
  [[nodiscard]] bool is_readable() const noexcept { return is_readable_; }

  /// Has the readiness set tell it again, in the next turn.
  void go_on_later();

  /// Reads what the client still sends while the session lingers, up to its FIN.
  void discard_input();

  [[nodiscard]] bool is_reading_paused() const noexcept { return reading_paused_; }
  void set_reading_paused(bool paused) noexcept { reading_paused_ = paused; }

  /// When the client was heard last.
  [[nodiscard]] clock::time_point heard() const noexcept { return heard_; }
  void set_heard(clock::time_point when) noexcept { heard_ = when; }

  // its end

  /// Queues the last words of an open session, goes to `next`, and has the handler hear of it later. What a client
  /// did not take in time is dropped. The close timeout begins.
  /// @returns false when the connection is gone.
  bool say_last(const frame_buffer_ptr& words, const close_info& info, state next);

  /// It is one of those that hold most, and the loop has not enough for all.
  void give_up() override;

  /// Lets go of what is yet to be had, see `frame_source::is_ready`, and of all behind it.
  void drop_unready();

  /// Sends what is left, then FIN, then waits for the client's FIN.
  void linger();

  /// The client has gone.
  void on_lost(const close_info& info);

  void close_socket(bool reset);
  void enter(state next);
  void report(const close_info& info);

  /// What waits for the client, in bytes of memory.
  [[nodiscard]] std::size_t waiting_bytes() const noexcept {
    return outbox_.held_bytes() + outbox_.pinned_bytes() + (layer_ ? layer_->held_bytes() : 0);
  }

  /// Nothing waits, also not in the layer.
  [[nodiscard]] bool is_all_written() const noexcept {
    return outbox_.empty() && !(layer_ && layer_->holds_output());
  }

  /// Whether a close would leave too much in memory, for as long as the client likes.
  [[nodiscard]] bool is_stuck() const noexcept;

private:
  /// It has left the state `before`. For what a class on top of it keeps for that state.
  virtual void on_left(state /*before*/) {}

  // readiness::listener, of which `on_ready` is that of the class on top
  void on_removed() noexcept final;
  [[nodiscard]] std::size_t held_bytes() const noexcept override { return waiting_bytes(); }
  // byte_sink
  std::size_t write_some(const iovec* pieces, std::size_t count,
                         boost::system::error_code& ec) final;
  // timing_wheel::entry
  void on_deadline(clock::time_point) final;

  [[nodiscard]] bool watch();
  void close_as_slow();
  void on_writable();
  void go_on_with_layer();
  void note_wire_bytes();
  void write_waiting(boost::system::error_code& ec);
  void on_write_error();
  void report_later(const close_info& info);
  send_status after_send(send_status status, std::size_t before,
                         const boost::system::error_code& ec);
  void outbox_changed(std::size_t before);
  void refresh_lane();

  // what a send looks at first, close together: a fan-out visits thousands of sessions a turn
  int descriptor_;
  loop_context& context_;
  std::uint32_t lane_;
  state state_ = state::opening;
  bool reading_paused_ : 1 = false;       // of the class on top, here since there is room
  bool is_due_ : 1 = false;               // to be told again by the readiness set
  bool is_watched_ : 1 = false;           // by it
  bool is_readable_ : 1 = false;          // as far as we know there is something in the socket
  bool short_proves_nothing_ : 1 = false; // of a read: FIN, RST or urgent data has come
  bool layer_goes_on_ : 1 = false;        // it may have input of which the socket tells nothing
  bool reported_ : 1 = false;
  clock::time_point heard_;
  std::unique_ptr<session_handler> handler_;
  std::unique_ptr<byte_layer> layer_; // null: nothing between us and the socket, or that is closed
  send_queue outbox_;
};

} // namespace canang::net
