// The way of a connection's bytes: names, sockets, TLS.

#include "cluster/redis/connection.hpp"
#include "cluster/redis/tls.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <netinet/tcp.h>

#include <utility>

namespace canang::cluster {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

struct redis_connection::tls {
  tls(asio::ssl::context context_of, decltype(redis_connection::socket_)& socket)
    : context(std::move(context_of)), stream(socket, context) {}

  asio::ssl::context context;
  asio::ssl::stream<decltype(redis_connection::socket_)&> stream;
};

redis_connection::redis_connection(boost::asio::io_context& io, redis_login login,
                                   const redis_options& options, redis_metrics::of_link& counters,
                                   redis_connection_owner& owner)
  : login_(std::move(login)),
    options_(options),
    counters_(counters),
    owner_(&owner),
    socket_(io.get_executor()),
    resolver_(io.get_executor()),
    timer_(io.get_executor()) {}

redis_connection::~redis_connection() = default;

void redis_connection::open() {
  timer_.expires_after(options_.connect_timeout);
  timer_.async_wait([self = shared_from_this()](const error_code& ec) {
    if (!ec && self->state_ < state::ready)
      self->fail(redis_failure::unreachable,
                 fmt::format("no connection within {} ms", self->options_.connect_timeout.count()));
  });
  std::string why;
  if (login_.uses_tls && !prepare_tls(why)) {
    asio::post(socket_.get_executor(),
               [self = shared_from_this(), why] { self->fail(redis_failure::bad_file, why); });
    return;
  }
  resolve();
}

// A name is looked up by Asio's own thread. A lookup can't be cut short, but it is not waited for.
void redis_connection::resolve() {
  error_code ec;
  const auto address = asio::ip::make_address(login_.address.host, ec);
  if (!ec) {
    connect({address, login_.address.port});
    return;
  }
  resolver_.async_resolve(
    login_.address.host, std::to_string(login_.address.port), tcp::resolver::numeric_service,
    [self = shared_from_this()](const error_code& failed,
                                const tcp::resolver::results_type& found) {
      if (self->state_ == state::closed)
        return;
      if (failed) {
        self->fail(redis_failure::unreachable, "the name can't be resolved: " + failed.message());
        return;
      }
      asio::async_connect(
        self->socket_, found,
        [self](const error_code& result, const tcp::endpoint&) { self->on_connected(result); });
    });
}

void redis_connection::connect(const tcp::endpoint& endpoint) {
  socket_.async_connect(
    endpoint, [self = shared_from_this()](const error_code& ec) { self->on_connected(ec); });
}

void redis_connection::on_connected(const error_code& ec) {
  if (state_ == state::closed)
    return;
  if (ec) {
    fail(redis_failure::unreachable, ec.message());
    return;
  }
  set_socket_options();
  if (tls_ != nullptr) {
    shake_hands();
    return;
  }
  read();
  log_in();
}

// Keepalive and the user timeout find a peer that is gone where nothing else is under way; the probe
// finds it sooner where it can.
void redis_connection::set_socket_options() {
  const auto set = [&](int level, int name, int value) {
    ::setsockopt(socket_.native_handle(), level, name, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 5);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 2);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(options_.probe_timeout.count()));
}

bool redis_connection::prepare_tls(std::string& why) {
  // Anew for each connection: certificates that are renewed on disk are used without a restart.
  auto context = make_tls_context(options_, why);
  if (!context)
    return false;
  tls_ = std::make_unique<tls>(std::move(*context), socket_);
  return expect_server(tls_->stream.native_handle(), login_.address.host, why);
}

void redis_connection::shake_hands() {
  tls_->stream.async_handshake(
    asio::ssl::stream_base::client,
    [self = shared_from_this()](const error_code& ec) { self->on_shaken(ec); });
}

void redis_connection::on_shaken(const error_code& ec) {
  if (state_ == state::closed)
    return;
  if (ec) {
    const auto distrust = why_untrusted(tls_->stream.native_handle());
    fail(distrust.empty() ? redis_failure::unreachable : redis_failure::untrusted,
         distrust.empty() ? "TLS: " + ec.message() : "its certificate is not trusted: " + distrust);
    return;
  }
  read();
  log_in();
}

void redis_connection::read() {
  auto handler = [self = shared_from_this()](const error_code& ec, std::size_t size) {
    self->on_read(ec, size);
  };
  if (tls_ != nullptr)
    tls_->stream.async_read_some(asio::buffer(input_), std::move(handler));
  else
    socket_.async_read_some(asio::buffer(input_), std::move(handler));
}

void redis_connection::on_read(const error_code& ec, std::size_t size) {
  if (state_ == state::closed)
    return;
  if (ec) {
    const bool is_end = ec == asio::error::eof || ec == asio::ssl::error::stream_truncated;
    fail(redis_failure::unreachable, is_end ? "it closed the connection" : ec.message());
    return;
  }
  on_bytes(size);
  if (state_ == state::closed)
    return;
  if (is_reading_paused_)
    is_read_due_ = true;
  else
    read();
}

void redis_connection::pause_reading(bool paused) {
  is_reading_paused_ = paused;
  if (!paused && std::exchange(is_read_due_, false) && state_ != state::closed)
    read();
}

// What the handlers of this turn append goes out in one write.
void redis_connection::write_soon() {
  if (is_writing_ || is_write_posted_ || state_ == state::closed)
    return;
  is_write_posted_ = true;
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    self->is_write_posted_ = false;
    if (!self->is_writing_ && self->state_ != state::closed)
      self->write();
  });
}

void redis_connection::write() {
  if (unsent_.empty())
    return;
  is_writing_ = true;
  std::swap(unsent_, writing_);
  handed_bytes_ += writing_.size();
  auto handler = [self = shared_from_this()](const error_code& ec, std::size_t size) {
    self->on_written(ec, size);
  };
  if (tls_ != nullptr)
    asio::async_write(tls_->stream, asio::buffer(writing_), std::move(handler));
  else
    asio::async_write(socket_, asio::buffer(writing_), std::move(handler));
}

void redis_connection::on_written(const error_code& ec, std::size_t size) {
  static constexpr std::size_t most_kept = 1024UL * 1024;
  if (state_ == state::closed)
    return;
  counters_.sent_bytes.add(size);
  is_writing_ = false;
  writing_.clear();
  if (writing_.capacity() > most_kept)
    writing_.shrink_to_fit();
  if (ec)
    fail(redis_failure::unreachable, ec.message());
  else
    write();
}

} // namespace canang::cluster
