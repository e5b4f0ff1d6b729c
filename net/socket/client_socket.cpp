#include "net/socket/client_socket.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace canang::net {

namespace {

using boost::system::error_code;

error_code error_of(std::ptrdiff_t negative) {
  return {static_cast<int>(-negative), boost::system::system_category()};
}

} // namespace

std::optional<tcp_endpoint> client_socket::client() {
  if (told_client_)
    return *told_client_;
  return peer_of(native_handle());
}

void client_socket::end_output() {
  if (layer_)
    layer_->end(native_handle());
  error_code ignored;
  shutdown(shutdown_send, ignored);
}

/// Never from inside the call that began the operation.
void client_socket::complete(io_handler&& handler, const error_code& ec, std::size_t size) {
  boost::asio::post(get_executor(),
                    [handler = std::move(handler), ec, size] { handler(ec, size); });
}

void client_socket::read_layered(std::span<char> into, io_handler&& handler) {
  if (into.empty()) {
    complete(std::move(handler), {}, 0);
    return;
  }
  const auto got = layer_->read(native_handle(), into);
  charged_->charge_next(got.cost);
  if (got.size > 0) {
    complete(std::move(handler), {}, static_cast<std::size_t>(got.size));
  } else if (got.size == 0) {
    complete(std::move(handler), boost::asio::error::eof, 0);
  } else if (got.size != -EAGAIN) {
    complete(std::move(handler), error_of(got.size), 0);
  } else {
    wait_and_read(into, std::move(handler));
  }
}

void client_socket::wait_and_read(std::span<char> into, io_handler&& handler) {
  async_wait(wait_read, [this, into, handler = std::move(handler)](const error_code& ec) mutable {
    if (ec)
      handler(ec, 0);
    else if (!layer_)
      handler(boost::asio::error::operation_aborted, 0);
    else
      read_layered(into, std::move(handler));
  });
}

void client_socket::write_layered(std::vector<iovec>&& pieces, io_handler&& handler) {
  if (pieces.empty()) {
    complete(std::move(handler), {}, 0);
    return;
  }
  const auto taken = layer_->write(native_handle(), pieces.data(), pieces.size());
  if (taken < 0 && taken != -EAGAIN)
    complete(std::move(handler), error_of(taken), 0);
  else if (taken > 0 && !layer_->holds_output())
    complete(std::move(handler), {}, static_cast<std::size_t>(taken));
  else
    finish_write(taken > 0 ? static_cast<std::size_t>(taken) : 0, std::move(pieces),
                 std::move(handler));
}

/// What the layer took is written when the socket has it.
void client_socket::finish_write(std::size_t taken, std::vector<iovec>&& pieces,
                                 io_handler&& handler) {
  async_wait(wait_write, [this, taken, pieces = std::move(pieces),
                          handler = std::move(handler)](const error_code& ec) mutable {
    if (ec || !layer_) {
      handler(ec ? ec : boost::asio::error::operation_aborted, 0);
      return;
    }
    if (const auto fault = layer_->flush(native_handle()); fault != 0)
      handler(error_of(fault), 0);
    else if (taken > 0 && !layer_->holds_output())
      handler({}, taken);
    else if (taken > 0)
      finish_write(taken, std::move(pieces), std::move(handler));
    else
      write_layered(std::move(pieces), std::move(handler));
  });
}

std::optional<tcp_endpoint> peer_of(int descriptor) noexcept {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return std::nullopt;
  tcp_endpoint endpoint;
  if (address.ss_family == AF_INET || address.ss_family == AF_INET6)
    std::memcpy(endpoint.data(), &address, std::min<std::size_t>(size, endpoint.capacity()));
  else
    endpoint.data()->sa_family = address.ss_family;
  return endpoint;
}

bool is_ip(const tcp_endpoint& endpoint) noexcept {
  const auto family = endpoint.data()->sa_family;
  return family == AF_INET || family == AF_INET6;
}

std::string client_text(const tcp_endpoint& client) {
  if (!is_ip(client))
    return "unix";
  return client.port() == 0 ? client.address().to_string() : to_text(client);
}

} // namespace canang::net
