#include "net/websocket/session.hpp"

#include "net/websocket/handshake.hpp"
#include "net/websocket/session_impl.hpp"

#include <boost/asio/post.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

// The life of a session: its opening, what it writes, and its end.

namespace canang::net {

namespace {

using boost::system::error_code;
using self_ptr = boost::intrusive_ptr<websocket_session>;

/// What a client is told whose room is not joined.
std::string_view refusal_text(reject_reason reason) noexcept {
  switch (reason) {
  case reject_reason::rooms:
    return "this node has as many rooms as it may; those that exist can be joined.\n";
  case reject_reason::forbidden: return "this client may not join that room.\n";
  default: return "the room cannot be joined at present.\n";
  }
}

std::string_view refusal_head(reject_reason reason) noexcept {
  return reason == reject_reason::forbidden
           ? "HTTP/1.1 403 Forbidden\r\n"
           : "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n";
}

/// One that is over its limit is given time, or none, as the operator says.
outbox_limits limits_of_outbox(const session_limits& limits) noexcept {
  const auto limit = limits.max_outbox_bytes;
  return {limit, limits.slow_consumer_grace.count() > 0 ? limit * outbox_cap_factor : limit};
}

/// Takes the descriptor out of Asio.
int release(tcp_socket& socket) {
  error_code ignored; // all it could not do is to cancel what nobody waits for
  return socket.release(ignored);
}

} // namespace

websocket_session::websocket_session(loop_context& context, websocket_upgrade&& upgrade)
  : descriptor_(release(upgrade.socket)),
    context_(context),
    lane_(context.lanes.acquire()),
    heard_(context.now()),
    extra_(std::make_unique<extra>(context.metrics)),
    layer_(std::move(upgrade.layer)),
    outbox_(limits_of_outbox(context.limits)) {
  using boost::beast::http::field;
  // in a buffer already: it is sent as it stands
  extra_->answer = context.buffers.make(
    handshake_answer(upgrade.request[field::sec_websocket_key], upgrade.subprotocol));
  extra_->held.assign(upgrade.already_read.begin(), upgrade.already_read.end());
  extra_->recount();
  context_.metrics.received_bytes_total.add(upgrade.already_read.size());
  context_.metrics.connections.add(1);
  context_.tickets.keep(lane_, std::move(upgrade.ticket));
}

websocket_session::~websocket_session() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
  context_.tickets.drop(lane_);
  context_.lanes.release(lane_);
  context_.metrics.connections.subtract(1);
}

/// Has the readiness set watch the socket; it holds a reference as long as it does.
bool websocket_session::watch() {
  if (is_watched_ || !context_.sockets.add(lane_, descriptor_, *this))
    return is_watched_;
  intrusive_ptr_add_ref(this);
  is_watched_ = true;
  return true;
}

void websocket_session::on_removed() noexcept { intrusive_ptr_release(this); }

void websocket_session::open() {
  context_.assert_on_loop();
  if (state_ != state::opening)
    return;
  enter(state::open);
  const auto answer = std::move(extra_->answer);
  extra_changed();
  if (!watch() || send(answer, 0, answer->size()) == send_status::dropped) {
    abort(close_reason::handler_error);
    return;
  }
  if (has_work())
    go_on_later();
}

void websocket_session::refuse(reject_reason reason) {
  context_.assert_on_loop();
  if (state_ != state::opening)
    return;
  const auto text = refusal_text(reason);
  std::string answer{refusal_head(reason)};
  answer += "Server: canang\r\nConnection: close\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: ";
  answer += std::to_string(text.size());
  answer += "\r\n\r\n";
  answer += text;
  context_.metrics.rejected_total[static_cast<std::size_t>(reason)].add(1);
  reported_ = true; // it never was a WebSocket connection
  boost::asio::post(context_.io, [self = self_ptr{this}] {
    if (const auto handler = std::move(self->handler_))
      handler->on_closed({1006, close_reason::abnormal});
  });
  error_code ec;
  const auto before = outbox_.held_bytes();
  outbox_.send_unlimited(*this, context_.buffers.make(answer), ec);
  outbox_changed(before);
  if (ec || !watch())
    close_socket(false);
  else
    linger();
}

send_status websocket_session::send(const frame_buffer_ptr& buffer, std::size_t from,
                                    std::size_t to) {
  context_.assert_on_loop();
  if (state_ != state::open)
    return send_status::dropped;
  error_code ec;
  const auto before = outbox_.held_bytes();
  const auto status = outbox_.send(*this, buffer, from, to, ec);
  return after_send(status, before, ec);
}

std::size_t websocket_session::send_slices(std::span<const frame_slice> slices) {
  context_.assert_on_loop();
  if (state_ != state::open)
    return 0;
  error_code ec;
  const auto before = outbox_.held_bytes();
  const auto taken = outbox_.send(*this, slices, ec);
  after_send(taken < slices.size() ? send_status::dropped
             : outbox_.empty()     ? send_status::sent
                                   : send_status::queued,
             before, ec);
  return taken;
}

send_status websocket_session::send_rest(const frame_buffer_ptr& buffer, std::size_t from,
                                         std::size_t to) {
  assert(state_ == state::open && outbox_.empty());
  outbox_.keep_rest(buffer, from, to);
  outbox_changed(0);
  return send_status::queued;
}

/// Does what the outcome of a send to the outbox asks for; `before` is what waited in it.
send_status websocket_session::after_send(send_status status, std::size_t before,
                                          const error_code& ec) {
  outbox_changed(before);
  if (ec)
    on_write_error();
  else if (status == send_status::dropped)
    close_as_slow();
  else if (status == send_status::queued && outbox_.is_over_limit() && !scheduled()
           && context_.limits.slow_consumer_grace.count() > 0)
    context_.deadlines.schedule(*this, context_.now() + context_.limits.slow_consumer_grace);
  return status;
}

void websocket_session::close_as_slow() {
  close(1008, "slow consumer", close_reason::slow_consumer);
}

/// While it is open: the time is over in which a slow consumer could come back below its limit; more of it for
/// one that waits for us, as its history has had its share of the turn. Else: that for the client's close frame,
/// or for its FIN.
void websocket_session::on_deadline(clock::time_point now) {
  if (state_ == state::open && outbox_.is_paused())
    context_.deadlines.schedule(*this, now + context_.limits.slow_consumer_grace);
  else if (state_ == state::open)
    close_as_slow();
  else
    close_socket(true);
}

/// It is one of those that hold most, and the loop has not enough for all.
void websocket_session::give_up() {
  if (state_ != state::open || outbox_.started_bytes() > max_left_of_given_up)
    abort(
      close_reason::over_budget); // a close would leave too much, for as long as the client likes
  else if (waiting_bytes() >= inbox_bytes())
    close(1008, "too much waits for this client", close_reason::over_budget);
  else
    close(1013, "no memory for the rest of this message", close_reason::over_budget);
}

std::string websocket_session::peer() const {
  tcp_endpoint endpoint;
  auto size = static_cast<socklen_t>(endpoint.capacity());
  if (::getpeername(descriptor_, endpoint.data(), &size) != 0)
    return {};
  endpoint.resize(size);
  return to_text(endpoint);
}

send_status websocket_session::send_reply(const frame_buffer_ptr& head, frame_source_ptr rest) {
  context_.assert_on_loop();
  const auto status = send(head, 0, head->size());
  if (!rest || status == send_status::dropped)
    return status;
  const bool is_next = outbox_.empty();
  outbox_.add(std::move(rest));
  error_code ec;
  if (is_next)
    write_waiting(ec);
  if (ec)
    on_write_error();
  if (state_ != state::open)
    return send_status::dropped;
  return outbox_.empty() ? send_status::sent : send_status::queued;
}

void websocket_session::ping() {
  if (state_ != state::open)
    return;
  context_.metrics.pings_sent_total.add(1);
  const auto frame = context_.buffers.make(ping_frame);
  send(frame, 0, frame->size());
}

void websocket_session::pause_reading(bool paused) {
  context_.assert_on_loop();
  reading_paused_ = paused;
  if (may_read() && has_work())
    go_on_later();
}

void websocket_session::close(std::uint16_t code, std::string_view text, close_reason reason) {
  context_.assert_on_loop();
  if (state_ == state::opening) {
    abort(reason);
    return;
  }
  if (state_ != state::open)
    return;
  enter(state::closing);
  const auto before = outbox_.held_bytes();
  if (reason == close_reason::slow_consumer || reason == close_reason::over_budget)
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
  pause_reading(false); // for the client's close frame
}

void websocket_session::abort(close_reason reason) {
  context_.assert_on_loop();
  if (state_ == state::closed)
    return;
  report_later({1006, reason});
  close_socket(true);
}

std::size_t websocket_session::write_some(const iovec* pieces, std::size_t count, error_code& ec) {
  const auto written =
    layer_ ? layer_->write(descriptor_, pieces, count) : write_now(descriptor_, pieces, count);
  if (written < 0) {
    if (written != -EAGAIN)
      ec.assign(static_cast<int>(-written), boost::system::system_category());
    return 0;
  }
  context_.metrics.sent_bytes_total.add(static_cast<std::uint64_t>(written));
  return static_cast<std::size_t>(written);
}

/// There is room in the socket, maybe again.
void websocket_session::on_writable() {
  if (state_ == state::closed || is_all_written())
    return;
  error_code ec;
  if (layer_ && layer_->flush(descriptor_) != 0)
    ec = boost::asio::error::broken_pipe;
  else
    write_waiting(ec);
  if (ec)
    on_write_error();
  else if (state_ == state::lingering)
    linger();
}

/// Writes what waits, of long answers no more than their share of the turn. They are charged as reading is:
/// a thousand that join at once must not hold up the others.
void websocket_session::write_waiting(error_code& ec) {
  const auto before = outbox_.held_bytes();
  const bool had_sources = outbox_.has_sources();
  const auto written =
    outbox_.flush(*this, context_.sockets.is_spent() ? 0 : max_join_bytes_a_turn, ec);
  if (had_sources)
    context_.sockets.charge(written);
  outbox_changed(before);
  if (outbox_.is_paused())
    go_on_later();
}

void websocket_session::on_write_error() {
  report_later({1006, close_reason::write_error});
  close_socket(false);
}

/// Both close frames have passed, or the client broke the protocol and has ours. Sends what is left,
/// then FIN, then waits for the client's FIN.
void websocket_session::linger() {
  enter(state::lingering);
  if (!scheduled()) {
    context_.deadlines.schedule(*this, context_.now() + linger_timeout);
    context_.sockets.charge(cost_of_end); // its actor ends now; the socket is the smaller part
  }
  if (!is_all_written())
    return; // on_writable comes back here
  if (::shutdown(descriptor_, SHUT_WR) != 0) {
    close_socket(false);
    return;
  }
  is_readable_ = true; // as far as we know
  discard_input();
}

/// Reads what the client still sends, up to its FIN. It goes unread while our own bytes wait: a client
/// that does not read ours is not to keep us busy with its own.
void websocket_session::discard_input() {
  const auto scrap = context_.sockets.scratch();
  for (std::size_t left = max_read_bytes_a_turn; is_readable_ && is_all_written();) {
    if (left == 0) {
      go_on_later(); // a flood
      return;
    }
    const auto got = read_now(descriptor_, scrap);
    if (got.size == 0 || (got.size < 0 && got.size != -EAGAIN)) {
      close_socket(false);
      return;
    }
    const auto size = static_cast<std::size_t>(std::max<std::ptrdiff_t>(got.size, 0));
    is_readable_ = size > 0 && (!got.is_drained || short_proves_nothing_);
    left -= std::min(left, size);
    context_.sockets.charge(size);
  }
}

void websocket_session::close_socket(bool reset) {
  if (state_ == state::closed)
    return;
  enter(state::closed);
  cancel();
  const auto before = outbox_.held_bytes();
  outbox_.clear();
  outbox_changed(before);
  extra_.reset();
  if (reset) { // nobody answers there: let the kernel forget its buffers at once
    const struct linger at_once { 1, 0 };
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  ::close(std::exchange(descriptor_, -1));
  context_.sockets.charge(cost_of_end);
  if (is_watched_) {
    is_watched_ = false;
    context_.sockets.remove(lane_);
  }
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
  const auto after = outbox_.held_bytes();
  if (after > before)
    context_.metrics.outbox_bytes.add(after - before);
  else if (after < before)
    context_.metrics.outbox_bytes.subtract(before - after);
  if (after < before && state_ == state::open && scheduled() && !outbox_.is_over_limit())
    cancel(); // in time
  refresh_lane();
}

void websocket_session::enter(state next) {
  if (state_ == state::open) {
    cancel(); // what it was given as a slow consumer
    if (extra_) {
      extra_->message = std::vector<char>{}; // nothing is delivered any more
      extra_changed();
    }
  }
  state_ = next;
  refresh_lane();
}

void websocket_session::refresh_lane() {
  if (state_ == state::open && outbox_.empty() && !layer_)
    context_.lanes.clear(lane_, descriptor_);
  else
    context_.lanes.block(lane_);
}

session_ptr make_websocket_session(loop_context& context, websocket_upgrade&& upgrade) {
  return session_ptr{new websocket_session{context, std::move(upgrade)}};
}

} // namespace canang::net
