// The whole node with real loops and sockets: how it ends.

#include "actors/server.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace canang::sim {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;

constexpr auto patience = 20s;

/// A server on free ports of the loopback, and the word of its end.
class running_server {
public:
  explicit running_server(std::uint32_t workers = 2) {
    spdlog::set_level(spdlog::level::off);
    actors::server_options options;
    options.listen = {boost::asio::ip::address_v4::loopback(), 0};
    options.internal_listen = options.listen;
    options.workers = workers;
    options.drain = {0s, 5s};
    server_ = std::make_unique<actors::server>(
      options, [](const net::page_request&) { return net::text_response(404, "no page"); });
    const auto fault = server_->bind();
    EXPECT_EQ(fault, "");
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

  /// A WebSocket client that is a member of the lobby: its handshake was answered.
  tcp::socket connect() {
    auto socket = request(server_->public_endpoint(),
                          "GET /ws HTTP/1.1\r\nHost: canang\r\nConnection: Upgrade\r\n"
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

/// Waits for the server's close frame, and ends the connection.
/// @returns its code, or 0 when something else came.
unsigned take_close(tcp::socket& socket) {
  std::array<std::uint8_t, 4> frame{}; // opcode, length, code
  boost::system::error_code ec;
  boost::asio::read(socket, boost::asio::buffer(frame), ec);
  socket.close();
  return ec || frame[0] != 0x88 ? 0 : frame[2] * 256U + frame[3];
}

std::size_t entries_of(const char* folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator{folder})
    ++count;
  return count;
}

/// A joined thread stays in /proc a moment longer.
std::size_t entries_once_at_most(std::size_t wanted, const char* folder) {
  const auto until = std::chrono::steady_clock::now() + patience;
  auto count = entries_of(folder);
  while (count > wanted && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
    count = entries_of(folder);
  }
  return count;
}

class node_with_a_dead_part : public testing::TestWithParam<caf::actor actors::loop_cast::*> {};

TEST_P(node_with_a_dead_part, ends_with_a_fault) {
  running_server server;
  auto client = server.connect();
  caf::anon_send_exit((*server).cast().back().*GetParam(), caf::exit_reason::kill);
  EXPECT_EQ(server.await_end(), false);
}

std::string name_of(const testing::TestParamInfo<caf::actor actors::loop_cast::*>& part) {
  static constexpr std::array names{"hub", "heartbeat", "directory"};
  return names[part.index];
}

INSTANTIATE_TEST_SUITE_P(each, node_with_a_dead_part,
                         testing::Values(&actors::loop_cast::hub, &actors::loop_cast::heartbeat,
                                         &actors::loop_cast::directory),
                         name_of);

TEST(node, an_orderly_shut_down_closes_its_clients_with_1012_and_ends_without_a_fault) {
  running_server server;
  auto first = server.connect();
  auto second = server.connect();
  (*server).shut_down();
  EXPECT_EQ(take_close(first), 1012U);
  EXPECT_EQ(take_close(second), 1012U);
  EXPECT_EQ(server.await_end(), true);
}

TEST(node, a_second_shut_down_changes_nothing) {
  running_server server;
  (*server).shut_down();
  (*server).shut_down();
  EXPECT_EQ(server.await_end(), true);
}

TEST(node, a_server_that_is_destroyed_while_it_serves_stops_at_once) {
  running_server server;
  auto client = server.connect();
  { const running_server other; }
}

TEST(node, starting_and_stopping_many_times_leaves_no_thread_and_no_descriptor) {
  const auto live_once = [](bool orderly) {
    running_server server;
    auto client = server.connect();
    if (!orderly)
      return;
    (*server).shut_down();
    EXPECT_EQ(take_close(client), 1012U);
    EXPECT_EQ(server.await_end(), true);
  };
  live_once(true); // what libraries set up once
  const auto threads = entries_once_at_most(1, "/proc/self/task");
  const auto descriptors = entries_of("/proc/self/fd");
  for (int i = 0; i < 20; ++i)
    live_once(i % 2 == 0);
  EXPECT_EQ(entries_once_at_most(threads, "/proc/self/task"), threads);
  EXPECT_EQ(entries_once_at_most(descriptors, "/proc/self/fd"), descriptors);
}

} // namespace
} // namespace canang::sim
