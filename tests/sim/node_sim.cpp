// The whole node with real loops and sockets: how it ends.

#include "tests/support/running_server.hpp"

#include <boost/asio/read.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace canang::sim {
namespace {

using namespace std::chrono_literals;

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

/// ThreadSanitizer sees the fault at once; without it, an order is lost now and then.
TEST(node, who_sees_it_ready_may_order_a_drain_however_soon) {
  for (int i = 0; i < 30; ++i) {
    std::promise<bool> ended;
    auto drained = ended.get_future();
    const auto server = bound_server(2);
    std::thread orders{[&server = *server] {
      while (server.phase() == actors::node_phase::starting)
        std::this_thread::yield();
      server.shut_down(false);
    }};
    server->start([&ended](bool whether) { ended.set_value(whether); });
    orders.join();
    ASSERT_EQ(drained.wait_for(patience), std::future_status::ready) << "the order was lost";
    EXPECT_TRUE(drained.get());
  }
}

TEST(node, who_orders_a_drain_is_told_when_it_is_to_be_seen) {
  running_server server{2, [](actors::server_options& options) { options.drain.grace = 1h; }};
  for (const auto* order : {"first", "second"}) {
    auto told = std::make_shared<std::promise<actors::node_phase>>();
    auto phase = told->get_future();
    (*server).shut_down(true, [told, &server] { told->set_value((*server).phase()); });
    ASSERT_EQ(phase.wait_for(patience), std::future_status::ready) << order;
    EXPECT_EQ(phase.get(), actors::node_phase::draining) << order;
  }
}

TEST(node, who_orders_a_drain_of_a_node_that_has_ended_is_let_go) {
  running_server server;
  (*server).shut_down(false);
  EXPECT_EQ(server.await_end(), true);
  auto told = std::make_shared<std::promise<void>>();
  auto is_told = told->get_future();
  (*server).shut_down(true, [told = std::exchange(told, nullptr)] { told->set_value(); });
  ASSERT_EQ(is_told.wait_for(patience), std::future_status::ready);
  EXPECT_THROW(is_told.get(), std::future_error) << "nobody is left who could tell";
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
