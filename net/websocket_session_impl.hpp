#pragma once

#include "net/outbox_stream.hpp"
#include "net/websocket_session.hpp"

#include <boost/beast/websocket/stream.hpp>

#include <array>
#include <memory>
#include <vector>

/// Private to the files of the WebSocket session: this header costs ten seconds of compiling.

namespace canang::net {

/// One WebSocket connection. Counted by reference: every pending operation holds it, so it goes when
/// its socket is closed and nobody else refers to it. Lives on the loop of its context.
class websocket_session final : public session, stream_owner, byte_sink, timing_wheel::entry {
public:
  websocket_session(loop_context& context, websocket_upgrade&& upgrade)
    : descriptor_(upgrade.socket.native_handle()),
      context_(context),
      lane_(context.lanes.acquire()),
      outbox_(context.limits.max_outbox_bytes),
      stream_(std::move(upgrade.socket), static_cast<stream_owner&>(*this),
              std::move(upgrade.already_read)),
      heard_(context.now()),
      request_(std::make_unique<http_request_header>(std::move(upgrade.request))) {
    // until `open`, the request keeps which one of those that it offered was chosen
    request_->erase(boost::beast::http::field::sec_websocket_protocol);
    if (!upgrade.subprotocol.empty())
      request_->set(boost::beast::http::field::sec_websocket_protocol, upgrade.subprotocol);
    stream_.read_message_max(context.limits.max_message_bytes);
    context_.metrics.connections.add(1);
  }

  ~websocket_session() override {
    context_.lanes.release(lane_);
    context_.metrics.connections.subtract(1);
  }

  void attach(std::unique_ptr<session_handler> handler) override { handler_ = std::move(handler); }

  void open() override;
  bool is_open() const noexcept override { return state_ == state::open; }
  send_status send(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to) override;
  std::uint32_t lane() const noexcept override { return lane_; }
  send_status send_rest(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to) override;
  void refuse() override;
  send_status send_reply(const frame_buffer_ptr& buffer) override;
  void pause_reading(bool paused) override;
  void close(std::uint16_t code, std::string_view text, close_reason reason) override;
  void abort(close_reason reason) override;
  clock::time_point last_heard() const noexcept override { return heard_; }
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

  // stream_owner
  bool on_bytes(const boost::asio::mutable_buffer& bytes) override;
  frame_buffer_ptr make_buffer() override { return context_.buffers.make(); }
  bool on_stream_write(const frame_buffer_ptr& frames) override;
  // byte_sink
  std::size_t write_some(const iovec* pieces, std::size_t count,
                         boost::system::error_code& ec) override;
  // timing_wheel::entry
  void on_deadline(clock::time_point) override { close_socket(true); }

  void read_more();
  void on_read(const boost::system::error_code& ec, std::size_t size);
  void on_read_error(const boost::system::error_code& ec);
  void deliver_message();
  void await_writable();
  void on_writable();
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
  [[nodiscard]] boost::asio::mutable_buffer read_space();

  // what a send looks at first, close together: a fan-out visits thousands of sessions a turn
  int descriptor_;
  loop_context& context_;
  std::uint32_t lane_;
  state state_ = state::opening;
  bool reading_ = false;
  bool reading_paused_ = false;
  bool awaiting_writable_ = false;
  bool reported_ = false;
  outbox outbox_;

  boost::beast::websocket::stream<outbox_stream, false> stream_;
  std::unique_ptr<session_handler> handler_;
  clock::time_point heard_;
  std::unique_ptr<http_request_header> request_; // until open
  std::unique_ptr<std::vector<char>> partial_;   // a message that did not fit `small_`, or null
  std::uint32_t partial_size_ = 0;               // bytes of it, here or there
  frame_guard guard_;
  std::array<char, inline_message_bytes> small_;
};

} // namespace canang::net
