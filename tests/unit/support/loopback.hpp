#pragma once

#include "net/websocket/session.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::test {

/// A loop by hand: turns until a condition holds or 10 s are over.
class turning_loop {
public:
  explicit turning_loop(const net::session_limits& limits = {}) : context(limits) {}

  template <class Condition>
  [[nodiscard]] bool until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline)
        return false;
      turn(std::chrono::milliseconds{10});
    }
    return true;
  }

  /// One turn that waits so long for something to happen.
  void turn(std::chrono::milliseconds wait) {
    context.new_turn();
    context.deadlines.advance(context.now());
    io.restart();
    if (!context.sockets.has_more()) {
      context.waker.arm();
      io.run_one_for(wait);
    }
    io.poll();
    context.sockets.poll();
  }

  net::loop_context context;
  boost::asio::io_context& io = context.io;
};

/// The client's end of a connection, read without waiting.
class raw_client {
public:
  explicit raw_client(net::tcp_socket socket) : socket_(std::move(socket)) {}

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto size =
        ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (size <= 0)
        return;
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
  }

  /// Takes what has come, at most `limit` bytes in all.
  void receive(std::size_t limit = SIZE_MAX) {
    char bytes[4096];
    while (got.size() < limit) {
      const auto size = ::recv(socket_.native_handle(), bytes,
                               std::min(sizeof bytes, limit - got.size()), MSG_DONTWAIT);
      if (size > 0) {
        got.append(bytes, static_cast<std::size_t>(size));
        continue;
      }
      is_over = is_over || size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
      return;
    }
  }

  bool has(std::string_view text) {
    receive();
    return got.find(text) != std::string::npos;
  }

  void leave() { socket_.close(); }
  net::tcp_socket& socket() { return socket_; }

  std::string got;
  bool is_over = false; ///< the server has sent FIN or RST

private:
  net::tcp_socket socket_;
};

/// Two ends of a TCP connection of this machine: the server's, and the client's.
inline std::pair<net::tcp_socket, raw_client> connected_pair(boost::asio::io_context& io,
                                                             int receive_buffer = 0) {
  namespace ip = boost::asio::ip;
  boost::asio::basic_socket_acceptor<ip::tcp, net::executor_type> acceptor{
    io.get_executor(), net::tcp_endpoint{ip::address_v4::loopback(), 0}};
  net::tcp_socket client{io.get_executor()};
  client.open(ip::tcp::v4());
  if (receive_buffer > 0)
    client.set_option(boost::asio::socket_base::receive_buffer_size{receive_buffer});
  client.connect(acceptor.local_endpoint());
  client.set_option(ip::tcp::no_delay{true});
  auto server = acceptor.accept();
  server.set_option(ip::tcp::no_delay{true});
  return {std::move(server), raw_client{std::move(client)}};
}

inline net::http_request_header handshake() {
  namespace http = boost::beast::http;
  net::http_request_header request{http::verb::get, "/ws", 11};
  request.set(http::field::host, "localhost");
  request.set(http::field::connection, "Upgrade");
  request.set(http::field::upgrade, "websocket");
  request.set(http::field::sec_websocket_version, "13");
  request.set(http::field::sec_websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
  return request;
}

/// A client's frame, masked with `key`.
inline std::string client_frame(int first_byte, std::string_view payload,
                                std::string_view key = "\x01\x02\x03\x04") {
  std::string frame;
  net::append_frame(frame, net::frame_type::text, payload);
  frame[0] = static_cast<char>(first_byte);
  frame[1] = static_cast<char>(frame[1] | '\x80');
  frame.resize(frame.size() - payload.size());
  frame += key;
  for (std::size_t i = 0; i < payload.size(); ++i)
    frame += static_cast<char>(payload[i] ^ key[i % 4]);
  return frame;
}

/// What a session said to its handler.
struct session_log {
  std::vector<std::pair<net::frame_type, std::string>> messages;
  std::vector<net::close_info> closes;
  int frames = 0; ///< that completed no message
  std::function<void()> on_each_message;
};

/// Notes into a log, which outlives the session.
class noting_handler final : public net::session_handler {
public:
  explicit noting_handler(session_log& log) : log_(log) {}

  void on_message(net::frame_type type, std::span<const char> payload) override {
    EXPECT_TRUE(log_.closes.empty()) << "a message after the end";
    log_.messages.emplace_back(type, std::string{payload.begin(), payload.end()});
    if (log_.on_each_message)
      log_.on_each_message();
  }
  void on_frame() override { ++log_.frames; }
  void on_closed(const net::close_info& info) override { log_.closes.push_back(info); }

private:
  session_log& log_;
};

} // namespace canang::test
