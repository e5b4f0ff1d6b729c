#include "net/socket/opening.hpp"

#include "net/limits.hpp"

#include <cerrno>
#include <utility>

namespace canang::net {

opening::opening(loop_context& context, client_socket&& socket)
  : context_(context), socket_(std::move(socket)) {
  context_.http.enter(*this, context_.now());
  context_.deadlines.schedule(*this, context_.now() + context_.limits.handshake_timeout);
}

opening::~opening() { context_.http.leave(*this); }

void opening::await(tcp_socket::wait_type what) {
  socket_.async_wait(
    what, [self = boost::intrusive_ptr<opening>{this}](const boost::system::error_code& ec) {
      if (self->is_over_)
        return;
      if (ec)
        self->close(false);
      else if (self->is_lingering_)
        self->discard_input();
      else
        self->on_ready();
    });
}

client_socket opening::hand_on() {
  is_over_ = true;
  cancel();
  context_.http.leave(*this);
  return std::move(socket_);
}

void opening::close(bool reset) {
  if (is_over_)
    return;
  auto socket = hand_on();
  boost::system::error_code ignored;
  if (reset)
    socket.set_option(boost::asio::socket_base::linger{true, 0}, ignored);
  socket.close(ignored);
}

void opening::linger() {
  is_lingering_ = true;
  socket_.end_output();
  context_.deadlines.schedule(*this, context_.now() + linger_timeout);
  discard_input();
}

void opening::discard_input() {
  const auto got = read_now(socket_.native_handle(), context_.sockets.scratch());
  context_.sockets.charge_next(got.cost);
  if (got.size > 0 || got.size == -EAGAIN)
    await(tcp_socket::wait_read);
  else
    close(false);
}

void opening::on_deadline(timing_wheel::clock::time_point) {
  if (!is_lingering_) {
    count(reject_reason::timeout);
    on_given_up(reject_reason::timeout);
  }
  close(false);
}

void opening::give_way() {
  context_.metrics.http_displaced_total.add(1);
  if (!is_lingering_) {
    count(reject_reason::crowded);
    on_given_up(reject_reason::crowded);
  }
  close(!is_lingering_);
}

} // namespace canang::net
