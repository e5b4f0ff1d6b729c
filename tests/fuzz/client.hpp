#pragma once

#include "net/loop_context.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>

namespace canang::fuzz {

/// A loop that turns by hand, and the client's end of a connection to it. A pair of local sockets
/// stands for TCP: it costs a third, and Asio asks for nothing that only TCP has.
class client {
public:
  explicit client(net::loop_context& loop) : loop_(loop) {
    int ends[2] = {-1, -1};
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0,
            "there are descriptors");
    fd_ = ends[0];
    server_fd_ = ends[1];
  }
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  ~client() { leave(); }

  /// The server's end.
  net::tcp_socket take_server_end() {
    return {loop_.io.get_executor(), boost::asio::ip::tcp::v4(), server_fd_};
  }

  /// Sends all of `bytes` in pieces, with turns of the loop between them.
  void send(std::span<const std::uint8_t> bytes, std::size_t pieces) {
    input rest{bytes.data(), bytes.size()};
    const auto piece_size = bytes.size() / pieces + 1;
    for (auto piece = rest.take(piece_size); !piece.empty(); piece = rest.take(piece_size)) {
      if (::send(fd_, piece.data(), piece.size(), MSG_NOSIGNAL) < 0)
        break; // the server has closed
      turn();
      receive();
    }
  }

  /// Runs what is ready until nothing is.
  void turn() {
    for (int rounds = 0; rounds < 10'000; ++rounds) {
      loop_.io.restart();
      const auto handlers = loop_.io.poll();
      if (loop_.sockets.poll() + handlers == 0 && !loop_.sockets.has_more())
        return;
    }
    require(false, "the loop comes to rest");
  }

  void leave() {
    if (fd_ < 0)
      return;
    receive();
    ::close(fd_);
    fd_ = -1;
    turn();
  }

  std::string got;

private:
  void receive() {
    char bytes[16384];
    for (ssize_t size = 1; size > 0;) {
      size = ::recv(fd_, bytes, sizeof bytes, 0);
      if (size > 0)
        got.append(bytes, static_cast<std::size_t>(size));
    }
  }

  net::loop_context& loop_;
  int fd_ = -1;
  int server_fd_ = -1;
};

} // namespace canang::fuzz
