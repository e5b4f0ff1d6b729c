#include "net/websocket_session.hpp"

#include "net/websocket_session_impl.hpp"

#include <boost/asio/post.hpp>

#include <sys/socket.h>

#include <cassert>
#include <cerrno>
#include <utility>

// The life of a session: its opening, what it writes, and its end.

namespace canang::net {

namespace {

namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using self_ptr = boost::intrusive_ptr<websocket_session>;

} // namespace

void websocket_session::open() {
  if (state_ != state::opening)
    return;
  using boost::beast::http::field;
  stream_.set_option(websocket::stream_base::decorator([request = request_.get()](
                                                         websocket::response_type& response) {
    response.set(field::server, "canang");
    if (const auto chosen = request->find(field::sec_websocket_protocol); chosen != request->end())
      response.set(field::sec_websocket_protocol, chosen->value());
  }));
  error_code ec;
  enter(state::open);
  stream_.accept(*request_, ec);
  request_.reset();
  if (ec) {
    abort(close_reason::handler_error);
    return;
  }
  read_more();
}

void websocket_session::refuse() {
  if (state_ != state::opening)
    return;
  static constexpr std::string_view answer =
    "HTTP/1.1 503 Service Unavailable\r\nServer: canang\r\nRetry-After: 1\r\nConnection: close\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 38\r\n\r\n"
    "the room cannot be joined at present.\n";
  context_.metrics.rejected_total[static_cast<std::size_t>(reject_reason::unavailable)].add(1);
  reported_ = true; // it never was a WebSocket connection
  boost::asio::post(context_.io, [self = self_ptr{this}] {
    if (const auto handler = std::move(self->handler_))
      handler->on_closed({1006, close_reason::abnormal});
  });
  error_code ec;
  const auto before = outbox_.bytes();
  outbox_.send_unlimited(*this, context_.buffers.make(answer), ec);
  outbox_changed(before);
  if (ec)
    close_socket(false);
  else
    linger();
}

send_status websocket_session::send(const frame_buffer_ptr& buffer, std::size_t from,
                                    std::size_t to) {
  if (state_ != state::open)
    return send_status::dropped;
  error_code ec;
  const auto before = outbox_.bytes();
  const auto status = outbox_.send(*this, buffer, from, to, ec);
  return after_send(status, before, ec);
}

send_status websocket_session::send_rest(const frame_buffer_ptr& buffer, std::size_t from,
                                         std::size_t to) {
  assert(state_ == state::open && outbox_.empty());
  return after_send(outbox_.keep_rest(buffer, from, to), 0, {});
}

/// Does what the outcome of a send to the outbox asks for; `before` is what waited in it.
send_status websocket_session::after_send(send_status status, std::size_t before,
                                          const error_code& ec) {
  outbox_changed(before);
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
  return after_send(status, before, ec);
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
  enter(state::closing);
  const auto before = outbox_.bytes();
  if (reason == close_reason::slow_consumer)
    outbox_.drop_unstarted(); // what it could not take in time is lost to it; the code says so
  const auto frame = context_.buffers.make();
  append_close_frame(frame->bytes(), code, text);
  error_code ec;
  outbox_.send_unlimited(*this, frame, ec);
  outbox_changed(before);
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

std::size_t websocket_session::write_some(const iovec* pieces, std::size_t count, error_code& ec) {
  const auto written = write_now(descriptor_, pieces, count);
  if (written < 0) {
    if (written != -EAGAIN)
      ec.assign(static_cast<int>(-written), boost::system::system_category());
    return 0;
  }
  context_.metrics.sent_bytes_total.add(static_cast<std::uint64_t>(written));
  return static_cast<std::size_t>(written);
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
  outbox_changed(before);
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
  enter(state::lingering);
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
  for (int rounds = 0; rounds < 16; ++rounds) { // a flood gets its turn again later
    const auto size = ::recv(descriptor_, scrap.data(), scrap.size(), MSG_DONTWAIT);
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
  enter(state::closed);
  cancel();
  const auto before = outbox_.bytes();
  outbox_.clear();
  outbox_changed(before);
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

/// Keeps the metric and the lane true to the outbox.
void websocket_session::outbox_changed(std::size_t before) {
  const auto after = outbox_.bytes();
  if (after == before)
    return;
  if (after > before)
    context_.metrics.outbox_bytes.add(after - before);
  else
    context_.metrics.outbox_bytes.subtract(before - after);
  refresh_lane();
}

void websocket_session::enter(state next) {
  state_ = next;
  refresh_lane();
}

void websocket_session::refresh_lane() {
  if (state_ == state::open && outbox_.empty())
    context_.lanes.clear(lane_, descriptor_);
  else
    context_.lanes.block(lane_);
}

session_ptr make_websocket_session(loop_context& context, websocket_upgrade&& upgrade) {
  return session_ptr{new websocket_session{context, std::move(upgrade)}};
}

} // namespace canang::net
