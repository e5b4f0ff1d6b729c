#pragma once

#include "actors/server.hpp"
#include "app/admin/endpoints.hpp"
#include "net/protocol/plain_endpoints.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

/// The whole node in the test's own process, with real loops and sockets.

namespace canang::sim {

using boost::asio::ip::tcp;

inline constexpr std::chrono::seconds patience{20};

using server_change = std::function<void(actors::server_options&)>;

/// A server that has free ports of the loopback, and does not serve yet.
inline std::unique_ptr<actors::server> bound_server(std::uint32_t workers,
                                                    const server_change& differs = {}) {
  spdlog::set_level(spdlog::level::off);
  actors::server_options options;
  options.listen = {boost::asio::ip::address_v4::loopback(), 0};
  options.internal_listen = options.listen;
  options.workers = workers;
  options.drain = {std::chrono::seconds{0}, std::chrono::seconds{5}};
  if (differs)
    differs(options);
  auto server = std::make_unique<actors::server>(
    options, actors::server_endpoints{.add_public = net::add_plain_endpoints,
                                      .add_internal = admin::add_internal_endpoints});
  const auto fault = server->bind();
  EXPECT_EQ(fault, "");
  return server;
}

/// One that serves, and the word of its end.
class running_server {
public:
  explicit running_server(std::uint32_t workers = 2, const server_change& differs = {})
    : server_(bound_server(workers, differs)) {
    server_->start([this](bool drained) { ended_.set_value(drained); });
    await_ready();
  }

  actors::server& operator*() noexcept { return *server_; }

  /// How it ended, or nothing when it does not.
  std::optional<bool> await_end() {
    auto ended = ended_.get_future();
    if (ended.wait_for(patience) != std::future_status::ready)
      return std::nullopt;
    return ended.get();
  }

  /// A WebSocket client that is a member of a room: its handshake was answered.
  tcp::socket connect(const std::string& path = "/ws") {
    auto socket = request(server_->public_endpoint(),
                          "GET " + path
                            + " HTTP/1.1\r\nHost: canang\r\nConnection: Upgrade\r\n"
                              "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    EXPECT_EQ(status_of(socket), "101");
    return socket;
  }

private:
  tcp::socket request(const tcp::endpoint& to, const std::string& text) {
    tcp::socket socket{io_};
    socket.connect(to);
    const timeval longest{std::chrono::seconds{patience}.count(), 0};
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    boost::asio::write(socket, boost::asio::buffer(text));
    return socket;
  }

  static std::string status_of(tcp::socket& socket) {
    std::string answer;
    boost::system::error_code ec;
    boost::asio::read_until(socket, boost::asio::dynamic_buffer(answer), "\r\n\r\n", ec);
    return answer.size() < 12 ? ec.message() : answer.substr(9, 3);
  }

  void await_ready() {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < until) {
      auto probe = request(server_->internal_endpoint(),
                           "GET /readyz HTTP/1.1\r\nHost: canang\r\nConnection: close\r\n\r\n");
      if (status_of(probe) == "200")
        return;
    }
    ADD_FAILURE() << "the server does not become ready";
  }

  boost::asio::io_context io_;
  std::promise<bool> ended_;
  std::unique_ptr<actors::server> server_;
};

/// Keeps the thread of a loop for itself until it is told to let go: what a loop without CPU looks like.
class starved_loop {
public:
  explicit starved_loop(const actors::loop_cast& loop) {
    caf::anon_send(loop.directory,
                   actors::room_query{"nobody's", false, [this](cluster::room_report&&) {
                                        has_begun_.set_value();
                                        released_.get_future().wait();
                                      }});
    has_begun_.get_future().wait();
  }
  starved_loop(const starved_loop&) = delete;
  starved_loop& operator=(const starved_loop&) = delete;
  ~starved_loop() { release(); }

  void release() {
    if (!std::exchange(is_released_, true))
      released_.set_value();
  }

private:
  std::promise<void> has_begun_;
  std::promise<void> released_;
  bool is_released_ = false;
};

template <class Condition>
[[nodiscard]] bool holds_soon(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!condition() && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  return condition();
}

/// A masked frame of a client; the mask is of zeros.
inline std::string binary_frame(std::size_t size) {
  std::string frame{"\x82\xff", 2};
  for (int shift = 56; shift >= 0; shift -= 8)
    frame += static_cast<char>(size >> static_cast<unsigned>(shift));
  return frame + std::string(4 + size, '\0');
}

/// A client that sends large messages as fast as they are taken, and forgets what it gets.
class flooder {
public:
  explicit flooder(tcp::socket& socket) : socket_(socket) {}

  /// Goes on for `time`.
  /// @returns the bytes that were taken.
  std::size_t flood(std::chrono::milliseconds time) {
    std::size_t sent = 0;
    const auto until = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < until) {
      const auto written = ::send(socket_.native_handle(), frame_.data() + at_, frame_.size() - at_,
                                  MSG_DONTWAIT | MSG_NOSIGNAL);
      if (written > 0) {
        sent += static_cast<std::size_t>(written);
        at_ = (at_ + static_cast<std::size_t>(written)) % frame_.size();
      }
      const auto read = ::recv(socket_.native_handle(), scrap_.data(), scrap_.size(), MSG_DONTWAIT);
      if (written <= 0 && read <= 0)
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return sent;
  }

private:
  tcp::socket& socket_;
  std::string frame_ = binary_frame(64U << 10U);
  std::vector<char> scrap_ = std::vector<char>(1U << 20U);
  std::size_t at_ = 0; // of the frame
};

/// One of these whose loop answers pings, or the end.
inline std::vector<tcp::socket>::iterator one_that_answers(std::vector<tcp::socket>& clients) {
  for (auto& one : clients)
    boost::asio::write(one, boost::asio::buffer("\x89\x80\0\0\0\0", 6));
  auto found = clients.end();
  const auto has_answer = [](const tcp::socket& one) { return one.available() > 0; };
  static_cast<void>(holds_soon([&] {
    found = std::find_if(clients.begin(), clients.end(), has_answer);
    return found != clients.end();
  }));
  return found;
}

} // namespace canang::sim
