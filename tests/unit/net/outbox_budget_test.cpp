#include "net/outbox_budget.hpp"

#include "net/limits.hpp"
#include "tests/unit/support/loopback.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

namespace canang::net {
namespace {

using namespace std::chrono_literals;
using test::client_frame;

constexpr std::size_t mib = 1024 * 1024;

TEST(outbox_budget, without_a_limit_asks_for_nothing) {
  loop_metrics one;
  outbox_budget budget{0};
  budget.watch(one);
  one.outbox_memory_bytes.add(1000 * mib);
  budget.set_memory(2000, 1000);
  EXPECT_EQ(budget.excess(one), 0U);
  EXPECT_EQ(budget.bytes(), 0U);
}

TEST(outbox_budget, counts_what_waits_for_clients_and_what_waits_for_the_rest_of_a_message) {
  loop_metrics one;
  outbox_budget budget{800};
  budget.watch(one);
  one.outbox_memory_bytes.add(500);
  one.inbox_bytes.add(300);
  EXPECT_EQ(budget.excess(one), 0U);
  one.inbox_bytes.add(1);
  EXPECT_EQ(budget.excess(one), 101U) << "down to seven eighths";
}

TEST(outbox_budget, asks_loops_over_their_share_while_the_node_is_over_the_whole) {
  loop_metrics one;
  loop_metrics two;
  outbox_budget budget{1600};
  budget.watch(one);
  budget.watch(two);
  one.outbox_memory_bytes.add(1500);
  EXPECT_EQ(budget.excess(one), 0U) << "the other one leaves it room";
  two.outbox_memory_bytes.add(200);
  EXPECT_EQ(budget.excess(one), 300U) << "the node is at seven eighths then";
  EXPECT_EQ(budget.excess(two), 0U);
  two.outbox_memory_bytes.add(700);
  EXPECT_EQ(budget.excess(one), 800U) << "not below its share";
  EXPECT_EQ(budget.excess(two), 200U);
}

TEST(outbox_budget, shrinks_by_the_memory_that_is_used_over_its_limit) {
  outbox_budget budget{1600};
  budget.set_memory(999, 1000);
  EXPECT_EQ(budget.bytes(), 1600U);
  budget.set_memory(1400, 1000);
  EXPECT_EQ(budget.bytes(), 1200U);
  budget.set_memory(9000, 1000);
  EXPECT_EQ(budget.bytes(), 100U) << "not to nothing: a frame on its way is no reason to be closed";
  budget.set_memory(1000, 1000);
  EXPECT_EQ(budget.bytes(), 1600U);
  budget.set_memory(9000, 0);
  EXPECT_EQ(budget.bytes(), 1600U) << "memory has no limit";
}

/// Members that read nothing, each of its own size.
struct budget_keeper_test : testing::Test {
  struct member {
    explicit member(boost::asio::io_context& io) : client{tcp_socket{io.get_executor()}} {}

    test::raw_client client;
    test::session_log log;
    session_ptr session;
    std::size_t filled = 0; // bytes that waited for it at first
  };

  test::turning_loop loop{
    {.max_message_bytes = 4 * mib, .max_outbox_bytes = 64 * mib, .close_timeout = 1s}};
  outbox_budget budget{4 * mib};
  budget_keeper keeper{loop.context, budget};
  std::vector<std::unique_ptr<member>> members;

  void SetUp() override { budget.watch(loop.context.metrics); }

  [[nodiscard]] std::uint64_t held() const { return held_for_clients(loop.context.metrics); }

  member& join() {
    auto& added = *members.emplace_back(std::make_unique<member>(loop.io));
    auto [server, other_end] = test::connected_pair(loop.io, 4096);
    server.set_option(boost::asio::socket_base::send_buffer_size{4096});
    added.client = std::move(other_end);
    added.session =
      make_websocket_session(loop.context, {std::move(server), test::handshake(), {}});
    added.session->attach(std::make_unique<test::noting_handler>(added.log));
    added.session->open();
    EXPECT_TRUE(loop.until([&] { return added.client.has("\r\n\r\n"); }));
    added.client.got.clear();
    return added;
  }

  /// One whose outbox holds about so much, in frames of 2,000 bytes.
  member& join_holding(std::size_t bytes) {
    auto& added = join();
    const auto before = held();
    while (held() - before < bytes) {
      const auto buffer = loop.context.buffers.make();
      append_frame(buffer->bytes(), frame_type::binary, std::string(2000, 'x'));
      EXPECT_NE(added.session->send(buffer, 0, buffer->size()), send_status::dropped);
    }
    added.filled = held() - before;
    return added;
  }

  [[nodiscard]] std::size_t open_members() const {
    std::size_t count = 0;
    for (const auto& each : members)
      count += each->session->is_open() ? 1 : 0;
    return count;
  }
};

TEST_F(budget_keeper_test, leaves_all_alone_within_the_budget) {
  for (int i = 0; i < 3; ++i)
    join_holding(mib);
  keeper.keep();
  EXPECT_EQ(open_members(), 3U);
}

TEST_F(budget_keeper_test, closes_the_largest_first_and_no_more_than_it_must) {
  auto& small = join_holding(mib / 4);
  auto& largest = join_holding(2 * mib);
  auto& large = join_holding(mib + mib / 2);
  auto& idle = join();
  auto& middle = join_holding(mib / 2);
  keeper.keep(); // 4.25 MiB of 4
  EXPECT_FALSE(largest.session->is_open());
  for (auto* const stays : {&small, &large, &idle, &middle})
    EXPECT_TRUE(stays->session->is_open());
  EXPECT_LT(held(), 3 * mib);
  ASSERT_TRUE(loop.until([&] { return !largest.log.closes.empty(); }));
  EXPECT_EQ(largest.log.closes[0].code, 1008);
  EXPECT_EQ(largest.log.closes[0].reason, close_reason::over_budget);
  EXPECT_TRUE(loop.until([&] { return largest.client.has("too much waits for this client"); }));
}

TEST_F(budget_keeper_test, closes_as_many_as_it_takes) {
  for (int i = 0; i < 40; ++i)
    join_holding(mib / 4);
  keeper.keep();
  EXPECT_LE(held(), 4 * mib / 8 * 7 + 40 * 16'384);
  EXPECT_GE(open_members(), 12U);
  EXPECT_LE(open_members(), 14U);
}

/// A close takes some microseconds: hundreds of them are not to hold up all others for one turn.
TEST_F(budget_keeper_test, closes_many_over_some_turns) {
  for (int i = 0; i < 150; ++i)
    join_holding(mib / 16);
  keeper.keep();
  EXPECT_EQ(open_members(), 150 - max_given_up_a_turn);
  EXPECT_GT(held(), 4 * mib);
  keeper.keep();
  EXPECT_LE(held(), 4 * mib);
  EXPECT_GE(open_members(), 40U);
  EXPECT_LE(open_members(), 60U);
}

/// However much it counts for each of them.
TEST_F(budget_keeper_test, leaves_many_alone_that_wait_for_the_same) {
  for (int i = 0; i < 20; ++i)
    join();
  for (int n = 0; n < 500; ++n) {
    const auto buffer = loop.context.buffers.make();
    append_frame(buffer->bytes(), frame_type::binary, std::string(2000, 'x'));
    for (const auto& each : members)
      each->session->send(buffer, 0, buffer->size());
  }
  EXPECT_GT(loop.context.metrics.outbox_bytes.value(), 16 * mib);
  EXPECT_LT(held(), 2 * mib);
  keeper.keep();
  EXPECT_EQ(open_members(), 20U);
}

TEST_F(budget_keeper_test, cuts_one_of_whom_a_close_would_leave_much) {
  auto& one = join();
  const auto large = loop.context.buffers.make(std::string(5 * mib, 'x'));
  ASSERT_EQ(one.session->send(large, 0, large->size()), send_status::queued);
  keeper.keep();
  EXPECT_EQ(held(), 0U);
  ASSERT_TRUE(loop.until([&] { return !one.log.closes.empty(); }));
  EXPECT_EQ(one.log.closes[0].code, 1006);
  EXPECT_EQ(one.log.closes[0].reason, close_reason::over_budget);
}

/// A close takes its time, and what it holds meanwhile counts.
TEST_F(budget_keeper_test, cuts_those_that_are_closing_too) {
  auto& one = join_holding(5 * mib);
  one.session->close(1012, "restart", close_reason::drain);
  EXPECT_GT(held(), 5 * mib);
  keeper.keep();
  EXPECT_EQ(held(), 0U);
  ASSERT_TRUE(loop.until([&] { return !one.log.closes.empty(); }));
  EXPECT_EQ(one.log.closes[0].reason, close_reason::drain);
}

TEST_F(budget_keeper_test, counts_unfinished_messages_and_tells_their_senders_to_come_back) {
  auto& reader = join_holding(mib / 2);
  constexpr std::size_t size = 2 * mib;
  std::vector<member*> senders;
  for (std::size_t i = 1; i <= 2; ++i) {
    senders.push_back(&join());
    const auto whole = client_frame(0x82, std::string(size, 'x'));
    const auto all_but_the_end = std::string_view{whole}.substr(0, whole.size() - 1);
    std::size_t sent = 0;
    EXPECT_TRUE(loop.until([&] {
      const auto rest = all_but_the_end.substr(sent);
      const auto taken = ::send(senders.back()->client.socket().native_handle(), rest.data(),
                                rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      sent += taken > 0 ? static_cast<std::size_t>(taken) : 0;
      return sent == all_but_the_end.size();
    }));
    EXPECT_TRUE(
      loop.until([&] { return loop.context.metrics.inbox_bytes.value() >= i * (size - 1); }));
  }
  keeper.keep();
  EXPECT_TRUE(reader.session->is_open());
  EXPECT_EQ(open_members(), 2U) << "one of the two went";
  EXPECT_LT(held(), 4 * mib);
  auto& gone = senders[0]->session->is_open() ? *senders[1] : *senders[0];
  ASSERT_TRUE(loop.until([&] { return !gone.log.closes.empty(); }));
  EXPECT_EQ(gone.log.closes[0].code, 1013);
  EXPECT_EQ(gone.log.closes[0].reason, close_reason::over_budget);
}

TEST_F(budget_keeper_test, holds_nothing_for_messages_that_came_whole) {
  auto& one = join();
  one.client.send(client_frame(0x02, std::string(1000, 'a')));
  EXPECT_TRUE(loop.until([&] { return loop.context.metrics.inbox_bytes.value() >= 1000; }));
  one.client.send(client_frame(0x80, "b"));
  EXPECT_TRUE(loop.until([&] { return one.log.messages.size() == 1; }));
  EXPECT_EQ(loop.context.metrics.inbox_bytes.value(), 0U);
}

} // namespace
} // namespace canang::net
