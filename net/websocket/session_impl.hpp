#pragma once

#include "net/socket_session.hpp"
#include "net/websocket/frame_reader.hpp"
#include "net/websocket/session.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// Private to the files of the WebSocket session.

namespace canang::net {

/// One WebSocket connection: what it reads, on top of what it writes.
class websocket_session : public socket_session {
public:
  websocket_session(loop_context& context, websocket_upgrade&& upgrade);

  void open() override;
  void refuse(reject_reason reason) override;
  void pause_reading(bool paused) override;
  void close(std::uint16_t code, std::string_view text, close_reason reason) override;
  bool has_unread() const noexcept override { return has_work(); }
  clock::time_point last_heard() const noexcept override {
    return is_open() && is_reading_paused() && has_work()
             ? context().now() // what it said is not read: it is there
             : heard();
  }
  void ping() override;

private:
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
    frame_buffer_ptr answer;    // to the handshake, until open
    std::vector<char> held;     // read, not taken: what is not whole, or for lack of leave
    std::vector<char> message;  // what has come of a message that is not whole
    bool held_is_short = false; // what is held is not whole: no use without more
  };

  /// What one turn's reading may still take, and the pongs that it owes.
  struct reading;

  void on_left(state before) override;
  // readiness::listener
  void on_ready(std::uint32_t events) override;
  [[nodiscard]] std::size_t held_bytes() const noexcept override {
    return waiting_bytes() + inbox_bytes();
  }
  void give_up() override;

  [[nodiscard]] bool may_read() const noexcept {
    return !is_reading_paused() && (phase() == state::open || phase() == state::closing);
  }
  [[nodiscard]] std::size_t inbox_bytes() const noexcept { return extra_ ? extra_->counted : 0; }
  [[nodiscard]] bool has_held() const noexcept { return extra_ && !extra_->held.empty(); }
  [[nodiscard]] bool may_take_held() const noexcept { return has_held() && !extra_->held_is_short; }
  [[nodiscard]] bool has_work() const noexcept { return is_readable() || may_take_held(); }
  void read();
  void read_some(reading& turn);
  void take_held(reading& turn);
  void take(std::span<char> bytes, reading& turn);
  void take_item(const frame_reader::item& item, reading& turn);
  void take_data(const frame_reader::item& part, reading& turn);
  void note_frame();
  void take_close(const frame_reader::item& item);
  void fail(frame_reader::fault wrong);
  void end(const frame_buffer_ptr& frame, const close_info& info);
  void keep_part(std::span<const char> part);
  void hold(std::span<const char> bytes, bool is_short);
  void extra_changed();
  void send_pongs(reading& turn);
  void deliver(std::span<const char> payload, reading& turn);
  [[nodiscard]] std::optional<std::span<const char>> inflate(std::span<const char> packed,
                                                             reading& turn);
  [[nodiscard]] extra& ensure_extra();

  frame_reader frames_;
  std::unique_ptr<extra> extra_; // its memory is part of what the session holds
};

} // namespace canang::net
