// Who is silent, who answers, and who talks: which of them the heartbeat ends.

#include "tests/support/sim_node.hpp"

#include <gtest/gtest.h>

namespace canang::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t seeds = 30;
constexpr auto tick_length = 100ms;

node_options some_loops(std::uint64_t seed) {
  node_options options;
  options.loops = static_cast<std::uint32_t>(1 + seed % 2);
  return options; // pings after 25 s, an answer within 8 s
}

/// Lets time go by; `behave` says what the clients do at each tick.
template <class Behaviour>
void pass(sim_node& node, std::chrono::milliseconds time, Behaviour behave) {
  for (auto passed = 0ms; passed < time; passed += tick_length) {
    behave();
    node.tick(tick_length);
    node.settle();
  }
}

void hear(sim_node& node, client& one) {
  if (one.peer->session != nullptr)
    one.peer->session->set_last_heard(node.now());
}

TEST(heartbeat, a_silent_connection_is_ended_in_time_and_leaves_its_room) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    auto& silent = node.connect({"lobby", 0});
    auto& other = node.connect({"lobby", node.loops() - 1});
    node.settle();
    const auto other_talks = [&] { hear(node, other); };
    pass(node, 7900ms, other_talks);
    EXPECT_TRUE(silent.stays()) << "ended before an answer could be overdue";
    pass(node, 25'400ms, other_talks); // interval, timeout, and a tick for each of the two
    EXPECT_EQ(silent.peer->aborted, net::close_reason::ping_timeout);
    EXPECT_EQ(silent.peer->pings, 1U);
    EXPECT_EQ(silent.peer->session, nullptr);
    EXPECT_EQ(node.members(), 1);
    EXPECT_TRUE(other.stays());
    node.finish();
  });
}

TEST(heartbeat, one_that_answers_stays_and_is_pinged_about_once_an_interval) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    auto& answering = node.connect({"lobby", 0});
    node.settle();
    std::size_t answered = 0;
    pass(node, 200s, [&] {
      if (answering.peer->pings > answered) {
        answered = answering.peer->pings;
        hear(node, answering);
      }
    });
    EXPECT_TRUE(answering.stays());
    EXPECT_GE(answered, 7U);
    EXPECT_LE(answered, 9U);
    node.finish();
  });
}

TEST(heartbeat, one_that_talks_is_not_pinged) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    auto& talking = node.connect({"lobby", 0});
    node.settle();
    pass(node, 100s, [&] { hear(node, talking); });
    EXPECT_TRUE(talking.stays());
    EXPECT_EQ(talking.peer->pings, 0U);
    node.finish();
  });
}

TEST(heartbeat, one_that_fell_silent_after_a_while_is_ended_within_interval_and_timeout) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    auto& fading = node.connect({"lobby", 0});
    node.settle();
    pass(node, std::chrono::milliseconds{1000 * node.any().between(1, 90)},
         [&] { hear(node, fading); });
    EXPECT_TRUE(fading.stays());
    pass(node, 33'400ms, [] {});
    EXPECT_EQ(fading.peer->aborted, net::close_reason::ping_timeout);
    EXPECT_EQ(node.members(), 0);
    node.finish();
  });
}

TEST(heartbeat, connections_that_end_at_any_time_are_forgotten) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    for (std::uint32_t i = 0; i < 12; ++i)
      node.connect({"lobby", i % node.loops()});
    pass(node, 40s, [&] {
      if (!node.any().one_in(20))
        return;
      auto& one = node.clients()[node.any().between(0, node.clients().size() - 1)];
      if (node.any().one_in(2))
        node.kill(one);
      else
        one.peer->vanish();
    });
    EXPECT_EQ(node.members(), 0) << "none of them ever answered";
    node.finish();
  });
}

} // namespace
} // namespace canang::sim
