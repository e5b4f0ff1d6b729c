#include "net/websocket_session.hpp"

#include "net/outbox_stream.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/websocket/error.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

namespace canang::net {

namespace {

namespace websocket = boost::beast::websocket;
using boost::system::error_code;

/// Why Beast failed a connection, as our reason and the close code that Beast has sent.
close_info classify(const error_code& ec) {
  if (ec == websocket::error::bad_frame_payload)
    return {1007, close_reason::bad_payload};
  if (ec == websocket::error::message_too_big || ec == websocket::error::buffer_overflow)
    return {1009, close_reason::too_big};
  if (ec == websocket::condition::protocol_violation)
    return {1002, close_reason::protocol_error};
  return {1006, close_reason::abnormal};
}

close_reason reason_of_client_code(std::uint16_t code) {
  switch (code) {
  case 1000:
  case 1005: return close_reason::normal;
  case 1001: return close_reason::going_away;
  default: return close_reason::client_close;
  }
}

/// Whether this is Beast's answer to a close frame whose code no client may send: it echoes the code.
bool answers_bad_close(frame_buffer& frames) {
  const auto& bytes = frames.bytes();
  if (bytes.size() < 4 || static_cast<std::uint8_t>(bytes[0]) != 0x88)
    return false;
  const auto high = static_cast<std::uint8_t>(bytes[2]);
  const auto low = static_cast<std::uint8_t>(bytes[3]);
  return !is_close_code(static_cast<std::uint16_t>(high << 8U | low));
}

/// One WebSocket connection. Counted by reference: every pending operation holds it, so it goes when
/// its socket is closed and nobody else refers to it. Lives on the loop of its context.
class websocket_session final : public session, stream_owner, byte_sink, timing_wheel::entry {
public:
  websocket_session(loop_context& context, websocket_upgrade&& upgrade)
    : context_(context),
      stream_(std::move(upgrade.socket), context, static_cast<stream_owner&>(*this),
              std::move(upgrade.already_read)),
      outbox_(context.limits.max_outbox_bytes),
      heard_(context.now()),
      request_(std::make_unique<http_request_header>(std::move(upgrade.request))) {
    stream_.read_message_max(context.limits.max_message_bytes);
    context_.metrics.connections.add(1);
  }

  ~websocket_session() override { context_.metrics.connections.subtract(1); }

  void attach(std::unique_ptr<session_handler> handler) override { handler_ = std::move(handler); }

  void open() override;
  bool is_open() const noexcept override { return state_ == state::open; }
  send_status send(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to) override;
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
  bool on_stream_write(const frame_buffer_ptr& frames) override;
  // byte_sink
  std::size_t write_some(const iovec* pieces, std::size_t count, error_code& ec) override;
  // timing_wheel::entry
  void on_deadline(clock::time_point) override { close_socket(true); }

  void read_more();
  void on_read(const error_code& ec, std::size_t size);
  void on_read_error(const error_code& ec);
  void deliver_message();
  void await_writable();
  void on_writable();
  void on_write_error();
  void linger();
  void discard_input();
  void close_socket(bool reset);
  void report(const close_info& info);
  void report_later(const close_info& info);
  void refresh_outbox_metric(std::size_t before);
  [[nodiscard]] boost::asio::mutable_buffer read_space();

  loop_context& context_;
  websocket::stream<outbox_stream, false> stream_;
  outbox outbox_;
  std::unique_ptr<session_handler> handler_;
  clock::time_point heard_;
  std::unique_ptr<http_request_header> request_; // until open
  std::vector<char> partial_;                    // a message that did not fit `small_`
  std::uint32_t partial_size_ = 0;               // bytes of it, here or there
  frame_guard guard_;
  state state_ = state::opening;
  bool reading_ = false;
  bool reading_paused_ = false;
  bool awaiting_writable_ = false;
  bool reported_ = false;
  std::array<char, inline_message_bytes> small_;
};

using self_ptr = boost::intrusive_ptr<websocket_session>;

void websocket_session::open() {
  if (state_ != state::opening)
    return;
  stream_.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
    response.set(boost::beast::http::field::server, "canang");
  }));
  error_code ec;
  state_ = state::open;
  stream_.accept(*request_, ec);
  request_.reset();
  if (ec) {
    abort(close_reason::handler_error);
    return;
  }
  read_more();
}

send_status websocket_session::send(const frame_buffer_ptr& buffer, std::size_t from,
                                    std::size_t to) {
  if (state_ != state::open)
    return send_status::dropped;
  error_code ec;
  const auto before = outbox_.bytes();
  const auto status = outbox_.send(*this, buffer, from, to, ec);
  refresh_outbox_metric(before);
  if (ec)
    on_write_error();
  else if (status == send_status::dropped)
    close(1008, "slow consumer", close_reason::slow_consumer);
  else if (status == send_status::queued)
    await_writable();
  return status;
}

std::string websocket_session::peer() const {
  error_code ec;
  const auto endpoint = stream_.next_layer().socket().remote_endpoint(ec);
  return ec ? std::string{} : to_text(endpoint);
}

send_status websocket_session::send_reply(const frame_buffer_ptr& buffer) {
  if (state_ != state::open)
    return send_status::dropped;
  error_code ec;
  const auto before = outbox_.bytes();
  const auto status = outbox_.send_unlimited(*this, buffer, ec);
  refresh_outbox_metric(before);
  if (ec)
    on_write_error();
  else if (status == send_status::queued)
    await_writable();
  return status;
}

void websocket_session::ping() {
  if (state_ != state::open)
    return;
  context_.metrics.pings_sent_total.add(1);
  const auto frame = context_.buffers.make(ping_frame);
  send(frame, 0, frame->size());
}

void websocket_session::pause_reading(bool paused) {
  reading_paused_ = paused;
  if (!paused)
    read_more();
}

void websocket_session::close(std::uint16_t code, std::string_view text, close_reason reason) {
  if (state_ == state::opening) {
    abort(reason);
    return;
  }
  if (state_ != state::open)
    return;
  state_ = state::closing;
  const auto before = outbox_.bytes();
  if (reason == close_reason::slow_consumer)
    outbox_.drop_unstarted(); // what it could not take in time is lost to it; the code says so
  const auto frame = context_.buffers.make();
  append_close_frame(frame->bytes(), code, text);
  error_code ec;
  outbox_.send_unlimited(*this, frame, ec);
  refresh_outbox_metric(before);
  report_later({code, reason});
  if (ec) {
    close_socket(false);
    return;
  }
  context_.deadlines.schedule(*this, context_.now() + context_.limits.close_timeout);
  if (!outbox_.empty())
    await_writable();
  reading_paused_ = false;
  read_more(); // for the client's close frame
}

void websocket_session::abort(close_reason reason) {
  if (state_ == state::closed)
    return;
  report_later({1006, reason});
  close_socket(true);
}

bool websocket_session::on_bytes(const boost::asio::mutable_buffer& bytes) {
  heard_ = context_.now();
  context_.metrics.received_bytes_total.add(bytes.size());
  return guard_.feed({static_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

bool websocket_session::on_stream_write(const frame_buffer_ptr& frames) {
  if (state_ == state::closing || state_ == state::lingering)
    return true; // our close frame was the last; what Beast adds must not follow it
  if (state_ != state::open)
    return false;
  if (answers_bad_close(*frames)) {
    frames->bytes().clear();
    append_close_frame(frames->bytes(), 1002, "bad close code");
  }
  return send(frames, 0, frames->size()) != send_status::dropped;
}

std::size_t websocket_session::write_some(const iovec* pieces, std::size_t count, error_code& ec) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces); // the kernel only reads it
  message.msg_iovlen = count;
  const auto fd = stream_.next_layer().socket().native_handle();
  ssize_t written = 0;
  do {
    written = count == 1
                ? ::send(fd, pieces->iov_base, pieces->iov_len, MSG_NOSIGNAL | MSG_DONTWAIT)
                : ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (written < 0 && errno == EINTR);
  if (written < 0) {
    if (errno != EAGAIN && errno != EWOULDBLOCK)
      ec.assign(errno, boost::system::system_category());
    return 0;
  }
  context_.metrics.sent_bytes_total.add(static_cast<std::uint64_t>(written));
  return static_cast<std::size_t>(written);
}

boost::asio::mutable_buffer websocket_session::read_space() {
  if (partial_.empty())
    return boost::asio::buffer(small_.data() + partial_size_, small_.size() - partial_size_);
  return boost::asio::buffer(partial_.data() + partial_size_, partial_.size() - partial_size_);
}

void websocket_session::read_more() {
  if (reading_ || reading_paused_ || (state_ != state::open && state_ != state::closing))
    return;
  reading_ = true;
  stream_.async_read_some(read_space(), [self = self_ptr{this}](error_code ec, std::size_t size) {
    self->on_read(ec, size);
  });
}

void websocket_session::on_read(const error_code& ec, std::size_t size) {
  reading_ = false;
  if (ec) {
    on_read_error(ec);
    return;
  }
  partial_size_ += static_cast<std::uint32_t>(size);
  if (stream_.is_message_done()) {
    deliver_message();
  } else if (read_space().size() == 0) {
    // grow with what has arrived, not with what was announced, up to the limit that Beast keeps
    const auto grown = std::min(std::max<std::size_t>(std::size_t{partial_size_} * 4, 4096),
                                context_.limits.max_message_bytes + 1);
    if (partial_.empty()) {
      partial_.resize(grown);
      std::copy_n(small_.data(), partial_size_, partial_.data());
    } else {
      partial_.resize(grown);
    }
  }
  read_more();
}

void websocket_session::deliver_message() {
  const auto type = stream_.got_text() ? frame_type::text : frame_type::binary;
  const auto size = std::exchange(partial_size_, 0);
  if (partial_.empty()) {
    if (state_ == state::open && handler_)
      handler_->on_message(type, {small_.data(), size});
    return;
  }
  const auto message = std::exchange(partial_, {});
  if (state_ == state::open && handler_)
    handler_->on_message(type, {message.data(), size});
}

void websocket_session::on_read_error(const error_code& ec) {
  if (state_ == state::closing) { // answered, or gone: either way the close is complete
    if (ec == websocket::error::closed)
      linger();
    else
      close_socket(false);
    return;
  }
  if (state_ != state::open)
    return;
  if (ec == websocket::error::closed) {
    const auto code = static_cast<std::uint16_t>(stream_.reason().code);
    const auto given = code == 0 ? std::uint16_t{1005} : code;
    state_ = state::lingering;
    if (code != 0 && !is_close_code(code))
      report({1002, close_reason::protocol_error});
    else
      report({given, reason_of_client_code(given)});
    linger();
    return;
  }
  auto info = classify(ec);
  if (ec == boost::asio::error::invalid_argument) { // frame_guard; Beast knows nothing of it
    info = {1002, close_reason::protocol_error};
    const auto frame = context_.buffers.make();
    append_close_frame(frame->bytes(), 1002, "bad frame length");
    send(frame, 0, frame->size());
  }
  if (state_ != state::open)
    return; // the send found out that the connection is gone
  if (info.reason == close_reason::abnormal) {
    close_socket(false);
    report(info);
    return;
  }
  state_ = state::lingering;
  report(info);
  linger();
}

void websocket_session::await_writable() {
  if (awaiting_writable_ || state_ == state::closed)
    return;
  awaiting_writable_ = true;
  stream_.next_layer().socket().async_wait(tcp_socket::wait_write,
                                           [self = self_ptr{this}](error_code ec) {
                                             self->awaiting_writable_ = false;
                                             if (!ec)
                                               self->on_writable();
                                           });
}

void websocket_session::on_writable() {
  if (state_ == state::closed)
    return;
  error_code ec;
  const auto before = outbox_.bytes();
  outbox_.flush(*this, ec);
  refresh_outbox_metric(before);
  if (ec) {
    on_write_error();
    return;
  }
  if (!outbox_.empty())
    await_writable();
  else if (state_ == state::lingering)
    linger();
}

void websocket_session::on_write_error() {
  report_later({1006, close_reason::write_error});
  close_socket(false);
}

/// Both close frames have passed, or the client broke the protocol and has ours. Sends what is left,
/// then FIN, then waits for the client's FIN.
void websocket_session::linger() {
  state_ = state::lingering;
  if (!scheduled())
    context_.deadlines.schedule(*this, context_.now() + linger_timeout);
  if (!outbox_.empty()) {
    await_writable();
    return;
  }
  error_code ec;
  stream_.next_layer().socket().shutdown(tcp_socket::shutdown_send, ec);
  if (ec)
    close_socket(false);
  else
    discard_input();
}

void websocket_session::discard_input() {
  if (state_ == state::closed)
    return;
  std::array<char, 4096> scrap;
  const auto fd = stream_.next_layer().socket().native_handle();
  for (int rounds = 0; rounds < 16; ++rounds) { // a flood gets its turn again later
    const auto size = ::recv(fd, scrap.data(), scrap.size(), MSG_DONTWAIT);
    if (size > 0)
      continue;
    if (size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
      close_socket(false);
      return;
    }
    break;
  }
  stream_.next_layer().socket().async_wait(tcp_socket::wait_read,
                                           [self = self_ptr{this}](error_code ec) {
                                             if (!ec)
                                               self->discard_input();
                                           });
}

void websocket_session::close_socket(bool reset) {
  if (state_ == state::closed)
    return;
  state_ = state::closed;
  cancel();
  const auto before = outbox_.bytes();
  outbox_.clear();
  refresh_outbox_metric(before);
  auto& socket = stream_.next_layer().socket();
  error_code ignored;
  if (reset) // nobody answers there: let the kernel forget its buffers at once
    socket.set_option(boost::asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

void websocket_session::report(const close_info& info) {
  if (reported_)
    return;
  reported_ = true;
  context_.metrics.closes.count(info.code, info.reason);
  if (const auto handler = std::move(handler_))
    handler->on_closed(info);
}

void websocket_session::report_later(const close_info& info) {
  if (reported_)
    return;
  boost::asio::post(context_.io, [self = self_ptr{this}, info] { self->report(info); });
}

void websocket_session::refresh_outbox_metric(std::size_t before) {
  const auto after = outbox_.bytes();
  if (after > before)
    context_.metrics.outbox_bytes.add(after - before);
  else if (before > after)
    context_.metrics.outbox_bytes.subtract(before - after);
}

} // namespace

session_ptr make_websocket_session(loop_context& context, websocket_upgrade&& upgrade) {
  return session_ptr{new websocket_session{context, std::move(upgrade)}};
}

} // namespace canang::net
