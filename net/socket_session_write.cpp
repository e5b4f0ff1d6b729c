#include "net/socket_session.hpp"

#include <boost/asio/error.hpp>

#include <cassert>
#include <cerrno>
#include <utility>

// What a session writes.

namespace canang::net {

using boost::system::error_code;

send_status socket_session::send(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to) {
  context_.assert_on_loop();
  if (state_ != state::open)
    return send_status::dropped;
  error_code ec;
  const auto before = outbox_.held_bytes();
  const auto status = outbox_.send(*this, buffer, from, to, ec);
  return after_send(status, before, ec);
}

std::size_t socket_session::send_slices(std::span<const frame_slice> slices) {
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

send_status socket_session::send_rest(const frame_buffer_ptr& buffer, std::size_t from,
                                      std::size_t to) {
  assert(state_ == state::open && outbox_.empty());
  outbox_.keep_rest(buffer, from, to);
  outbox_changed(0);
  return send_status::queued;
}

/// Does what the outcome of a send to the outbox asks for; `before` is what waited in it.
send_status socket_session::after_send(send_status status, std::size_t before,
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

void socket_session::close_as_slow() { close(1008, "slow consumer", close_reason::slow_consumer); }

send_status socket_session::send_reply(const frame_buffer_ptr& head, frame_source_ptr rest) {
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

std::size_t socket_session::write_some(const iovec* pieces, std::size_t count, error_code& ec) {
  const auto written =
    layer_ ? layer_->write(descriptor_, pieces, count) : write_now(descriptor_, pieces, count);
  if (written < 0) {
    if (written != -EAGAIN)
      ec.assign(static_cast<int>(-written), boost::system::system_category());
    return 0;
  }
  if (layer_)
    note_wire_bytes();
  else
    context_.metrics.sent_bytes_total.add(static_cast<std::uint64_t>(written));
  return static_cast<std::size_t>(written);
}

/// What a layer makes of what it takes may be many times as much: it costs the turn that, for whatever it is.
void socket_session::note_wire_bytes() {
  const auto sent = layer_->take_wire_bytes();
  context_.metrics.sent_bytes_total.add(sent);
  context_.sockets.charge(sent);
}

/// There is room in the socket, maybe again.
void socket_session::on_writable() {
  if (state_ == state::closed || is_all_written())
    return;
  error_code ec;
  if (layer_ && layer_->flush(descriptor_) != 0)
    ec = boost::asio::error::broken_pipe;
  if (layer_)
    note_wire_bytes();
  if (!ec)
    write_waiting(ec);
  if (ec)
    on_write_error();
  else if (state_ == state::lingering)
    linger();
}

/// Writes what waits, of long answers no more than their share of the turn. They are charged as reading is:
/// a thousand that join at once must not hold up the others.
void socket_session::write_waiting(error_code& ec) {
  const auto before = outbox_.held_bytes();
  const bool had_sources = outbox_.has_sources();
  const auto share = layer_ ? max_layered_join_bytes_a_turn : max_join_bytes_a_turn;
  const auto written = outbox_.flush(*this, context_.sockets.is_spent() ? 0 : share, ec);
  if (had_sources && !layer_) // else it is charged already
    context_.sockets.charge(written);
  outbox_changed(before);
  if (outbox_.is_paused())
    go_on_later();
}

void socket_session::on_write_error() {
  report_later({1006, close_reason::write_error});
  close_socket(false);
}

/// Keeps the metric and the lane true to the outbox.
void socket_session::outbox_changed(std::size_t before) {
  const auto after = outbox_.held_bytes();
  if (after > before)
    context_.metrics.outbox_bytes.add(after - before);
  else if (after < before)
    context_.metrics.outbox_bytes.subtract(before - after);
  if (after < before && state_ == state::open && scheduled() && !outbox_.is_over_limit())
    cancel(); // in time
  refresh_lane();
}

void socket_session::refresh_lane() {
  if (state_ == state::open && outbox_.empty() && !layer_)
    context_.lanes.clear(lane_, descriptor_);
  else
    context_.lanes.block(lane_);
}

} // namespace canang::net
