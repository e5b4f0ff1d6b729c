#include "net/socket_session.hpp"

#include <boost/asio/post.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <string_view>
#include <utility>

namespace canang::net {

namespace {

using boost::system::error_code;
using self_ptr = boost::intrusive_ptr<socket_session>;

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

/// What is nearest to the session; null where there is nothing between it and the socket.
std::unique_ptr<byte_layer> layers_of(client_socket& socket, std::unique_ptr<byte_layer>&& above) {
  if (!above)
    return socket.take_layer();
  if (auto below = socket.take_layer())
    above->put_above(std::move(below));
  return std::move(above);
}

} // namespace

socket_session::socket_session(loop_context& context, client_socket&& socket,
                               std::unique_ptr<byte_layer>&& layer, address_ticket&& ticket)
  : descriptor_(release(socket)),
    context_(context),
    lane_(context.lanes.acquire()),
    heard_(context.now()),
    layer_(layers_of(socket, std::move(layer))),
    outbox_(limits_of_outbox(context.limits)) {
  context_.metrics.connections.add(1);
  context_.tickets.keep(lane_, std::move(ticket));
  context_.clients.keep(lane_, socket.take_told_client());
}

socket_session::~socket_session() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
  context_.tickets.drop(lane_);
  context_.clients.drop(lane_);
  context_.lanes.release(lane_);
  context_.metrics.connections.subtract(1);
}

/// Has the readiness set watch the socket; it holds a reference as long as it does.
bool socket_session::watch() {
  if (is_watched_ || !context_.sockets.add(lane_, descriptor_, *this))
    return is_watched_;
  intrusive_ptr_add_ref(this);
  is_watched_ = true;
  return true;
}

void socket_session::on_removed() noexcept { intrusive_ptr_release(this); }

bool socket_session::open_with(const frame_buffer_ptr& answer) {
  context_.assert_on_loop();
  assert(state_ == state::opening);
  enter(state::open);
  if (watch() && send(answer, 0, answer->size()) != send_status::dropped) {
    if (layer_)
      go_on_with_layer(); // what it read before
    return true;
  }
  abort(close_reason::handler_error);
  return false;
}

void socket_session::refuse_with(std::string_view answer, reject_reason reason) {
  context_.assert_on_loop();
  assert(state_ == state::opening);
  context_.metrics.rejected_total[static_cast<std::size_t>(reason)].add(1);
  reported_ = true; // it never was a connection that one counts
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

/// While it is open: the time is over in which a slow consumer could come back below its limit; more of it for
/// one that waits for us, as its history has had its share of the turn. Else: that for the client's last words,
/// or for its FIN.
void socket_session::on_deadline(clock::time_point now) {
  if (state_ == state::open && outbox_.is_paused())
    context_.deadlines.schedule(*this, now + context_.limits.slow_consumer_grace);
  else if (state_ == state::open)
    close_as_slow();
  else
    close_socket(true);
}

bool socket_session::is_stuck() const noexcept {
  return state_ != state::open || outbox_.started_bytes() > max_left_of_given_up;
}

std::string socket_session::peer() const {
  if (const auto* const told = context_.clients.find(lane_))
    return client_text(*told);
  const auto endpoint = peer_of(descriptor_);
  return endpoint ? client_text(*endpoint) : std::string{};
}

/// The rules of edge triggering are at `readiness`.
bool socket_session::note(std::uint32_t events) {
  context_.assert_on_loop();
  const bool has_its_share = is_due_ && events != 0; // of this turn, or will have it
  if (events == 0) {
    is_due_ = false;
    is_readable_ = is_readable_ || layer_goes_on_;
    layer_goes_on_ = false;
  }
  if (outbox_.is_paused() ? !has_its_share : (events & EPOLLOUT) != 0)
    on_writable();
  if ((events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
    is_readable_ = true;
  if ((events & (EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
    short_proves_nothing_ = true;
  return !has_its_share;
}

void socket_session::go_on_later() {
  if (is_due_ || !is_watched_)
    return;
  is_due_ = true;
  context_.sockets.again(lane_);
}

/// Has it asked in the next turn, whatever the socket says.
void socket_session::go_on_with_layer() {
  layer_goes_on_ = true;
  go_on_later();
}

read_result socket_session::read_once(std::span<char> into) {
  const auto got = layer_ ? layer_->read(descriptor_, into) : read_now(descriptor_, into);
  context_.sockets.charge(got.cost);
  if (got.size > 0) {
    heard_ = context_.now();
    context_.metrics.received_bytes_total.add(static_cast<std::uint64_t>(got.size));
    if (got.is_drained && !short_proves_nothing_)
      is_readable_ = false;
  } else if (got.size == -EAGAIN) {
    is_readable_ = false;
    if (!got.is_drained) // a layer has had its share, and made nothing of it
      go_on_with_layer();
  }
  return got;
}

void socket_session::give_up() {
  if (is_stuck())
    abort(close_reason::over_budget);
  else
    close(1008, "too much waits for this client", close_reason::over_budget);
}

void socket_session::drop_unready() {
  const auto before = outbox_.held_bytes();
  outbox_.drop_unready();
  outbox_changed(before);
}

bool socket_session::say_last(const frame_buffer_ptr& words, const close_info& info, state next) {
  context_.assert_on_loop();
  assert(state_ == state::open);
  enter(next);
  const auto before = outbox_.held_bytes();
  if (info.reason == close_reason::slow_consumer || info.reason == close_reason::over_budget)
    outbox_.drop_unstarted(); // what it could not take in time is lost to it; the code says so
  outbox_.drop_unready();     // the last words do not wait for it
  error_code ec;
  outbox_.send_unlimited(*this, words, ec);
  outbox_changed(before);
  report_later(info);
  if (ec) {
    close_socket(false);
    return false;
  }
  context_.deadlines.schedule(*this, context_.now() + context_.limits.close_timeout);
  return true;
}

void socket_session::abort(close_reason reason) {
  context_.assert_on_loop();
  if (state_ == state::closed)
    return;
  report_later({1006, reason});
  close_socket(true);
}

void socket_session::linger() {
  enter(state::lingering);
  if (!scheduled()) {
    context_.deadlines.schedule(*this, context_.now() + linger_timeout);
    context_.sockets.charge(cost_of_end); // its actor ends now; the socket is the smaller part
  }
  if (layer_ && is_all_written())
    layer_->end(descriptor_);
  if (!is_all_written())
    return; // on_writable comes back here
  if (::shutdown(descriptor_, SHUT_WR) != 0) {
    close_socket(false);
    return;
  }
  is_readable_ = true; // as far as we know
  discard_input();
}

/// It goes unread while our own bytes wait: a client that does not read ours is not to keep us busy with its own.
void socket_session::discard_input() {
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

void socket_session::on_lost(const close_info& info) {
  const bool was_open = state_ == state::open;
  close_socket(false);
  if (was_open)
    report(info);
}

void socket_session::close_socket(bool reset) {
  if (state_ == state::closed)
    return;
  enter(state::closed);
  cancel();
  const auto before = outbox_.held_bytes();
  outbox_.clear();
  layer_.reset(); // with what it holds: whoever refers to a closed session may do so for long
  outbox_changed(before);
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

void socket_session::report(const close_info& info) {
  if (reported_)
    return;
  reported_ = true;
  context_.metrics.closes.count(info.code, info.reason);
  if (const auto handler = std::move(handler_))
    handler->on_closed(info);
}

void socket_session::report_later(const close_info& info) {
  if (reported_)
    return;
  boost::asio::post(context_.io, [self = self_ptr{this}, info] { self->report(info); });
}

void socket_session::enter(state next) {
  const auto before = std::exchange(state_, next);
  if (before == state::open && next != state::open)
    cancel(); // what it was given as a slow consumer
  if (before != next)
    on_left(before);
  refresh_lane();
}

} // namespace canang::net
