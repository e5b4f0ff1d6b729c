#pragma once

#include "net/readiness.hpp"
#include "net/send_queue.hpp"
#include "net/websocket/frame_reader.hpp"
#include "net/websocket/session.hpp"

#include <boost/system/error_code.hpp>

#include <memory>
#include <string>
#include <vector>

/// Private to the files of the WebSocket session.

namespace canang::net {

/// One WebSocket connection. Counted by reference: the readiness set holds one while it watches the
/// socket, so a session goes when its socket is closed and nobody else refers to it. Lives on the loop of
/// its context.
class websocket_session final : public session,
                                readiness::listener,
                                byte_sink,
                                timing_wheel::entry {
public:
  websocket_session(loop_context& context, websocket_upgrade&& upgrade);
  ~websocket_session() override;

  void attach(std::unique_ptr<session_handler> handler) override { handler_ = std::move(handler); }

  void open() override;
  bool is_open() const noexcept override { return state_ == state::open; }
  send_status send(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to) override;
  std::size_t send_slices(std::span<const frame_slice> slices) override;
  std::uint32_t lane() const noexcept override { return lane_; }
  send_status send_rest(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to) override;
  void refuse(reject_reason reason) override;
  send_status send_reply(const frame_buffer_ptr& head, frame_source_ptr rest) override;
  void pause_reading(bool paused) override;
  void close(std::uint16_t code, std::string_view text, close_reason reason) override;
  void abort(close_reason reason) override;
  bool has_unread() const noexcept override { return has_work(); }
  clock::time_point last_heard() const noexcept override {
    return state_ == state::open && reading_paused_ && has_work()
             ? context_.now() // what it said is not read: it is there
             : heard_;
  }
  std::string peer() const override;
  void ping() override;

private:
  enum class state : std::uint8_t {
    opening,   // the handshake is not answered yet
    open,      //
    closing,   // our close frame is queued; waiting for the client's
    lingering, // both sides are done; waiting for the outbox, then for the client's FIN
    closed,
  };

  /// What a session has only now and then. Its memory is counted in the loop's `inbox_bytes`.
  struct extra {
    explicit extra(loop_metrics& of_loop) noexcept : metrics(of_loop) { recount(); }
    extra(const extra&) = delete;
    extra& operator=(const extra&) = delete;
    ~extra() { metrics.inbox_bytes.subtract(counted); }

    /// To be called when `held` or `message` has changed.
    void recount() noexcept;

    loop_metrics& metrics;
    std::size_t counted = 0;
    frame_buffer_ptr answer;   // to the handshake, until open
    std::vector<char> held;    // read, not taken: what is not whole, or for lack of leave
    std::vector<char> message; // what has come of a message that is not whole
  };

  /// What one turn's reading may still take, and the pongs that it owes.
  struct reading;

  // readiness::listener
  void on_ready(std::uint32_t events) override;
  void on_removed() noexcept override;
  [[nodiscard]] std::size_t held_bytes() const noexcept override {
    return waiting_bytes() + inbox_bytes();
  }
  void give_up() override;
  // byte_sink
  std::size_t write_some(const iovec* pieces, std::size_t count,
                         boost::system::error_code& ec) override;
  // timing_wheel::entry
  void on_deadline(clock::time_point) override;

  [[nodiscard]] bool watch();
  [[nodiscard]] bool may_read() const noexcept {
    return !reading_paused_ && (state_ == state::open || state_ == state::closing);
  }
  [[nodiscard]] bool is_all_written() const noexcept {
    return outbox_.empty() && !(layer_ && layer_->holds_output());
  }
  [[nodiscard]] std::size_t waiting_bytes() const noexcept {
    return outbox_.held_bytes() + outbox_.pinned_bytes();
  }
  [[nodiscard]] std::size_t inbox_bytes() const noexcept { return extra_ ? extra_->counted : 0; }
  [[nodiscard]] bool has_held() const noexcept { return extra_ && !extra_->held.empty(); }
  [[nodiscard]] bool has_work() const noexcept {
    return is_readable_ || (has_held() && !held_is_short_);
  }
  void go_on_later();
  void read();
  void read_some(reading& turn);
  void take_held(reading& turn);
  void take(std::span<char> bytes, reading& turn);
  void take_item(const frame_reader::item& item, reading& turn);
  void take_data(const frame_reader::item& part);
  void note_frame();
  void take_close(const frame_reader::item& item);
  void fail(frame_reader::fault wrong);
  void end(const frame_buffer_ptr& frame, const close_info& info);
  void keep_part(std::span<const char> part);
  void hold(std::span<const char> bytes, bool is_short);
  void extra_changed();
  void send_pongs(reading& turn);
  void on_lost();
  void deliver(std::span<const char> payload);
  void close_as_slow();
  void on_writable();
  void write_waiting(boost::system::error_code& ec);
  void on_write_error();
  void linger();
  void discard_input();
  void close_socket(bool reset);
  void report(const close_info& info);
  void report_later(const close_info& info);
  send_status after_send(send_status status, std::size_t before,
                         const boost::system::error_code& ec);
  void outbox_changed(std::size_t before);
  void enter(state next);
  void refresh_lane();
  [[nodiscard]] extra& ensure_extra();

  // what a send looks at first, close together: a fan-out visits thousands of sessions a turn
  int descriptor_;
  loop_context& context_;
  std::uint32_t lane_;
  state state_ = state::opening;
  bool reading_paused_ : 1 = false;
  bool is_due_ : 1 = false;               // to be told again by the readiness set
  bool is_watched_ : 1 = false;           // by it
  bool is_readable_ : 1 = false;          // as far as we know there is something in the socket
  bool short_proves_nothing_ : 1 = false; // of a read: FIN, RST or urgent data has come
  bool held_is_short_ : 1 = false;        // what is held is not whole: no use without more
  bool reported_ : 1 = false;
  frame_reader frames_;
  clock::time_point heard_;
  std::unique_ptr<session_handler> handler_;
  std::unique_ptr<extra> extra_;      // its memory is part of what the session holds
  std::unique_ptr<byte_layer> layer_; // null: nothing between us and the socket
  send_queue outbox_;
};

} // namespace canang::net
