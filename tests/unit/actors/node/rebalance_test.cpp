#include "actors/node/rebalance.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace canang::actors {
namespace {

using namespace std::chrono_literals;
using counts = std::vector<std::uint64_t>;

struct rebalance_test : testing::Test {
  rebalance::clock::time_point now{1h};
  rebalance balance{30s};

  std::uint64_t second(std::uint64_t own, const counts& others) {
    now += 1s;
    return balance.due(now, own, others);
  }

  /// Some seconds in which what is closed goes to the others in turn, or comes back.
  std::uint64_t run(int seconds, std::uint64_t& own, counts& others, bool they_come_back = false) {
    std::uint64_t closed = 0;
    for (int i = 0; i < seconds; ++i) {
      const auto count = second(own, others);
      closed += count;
      if (they_come_back)
        continue;
      own -= count;
      for (std::uint64_t k = 0; k < count; ++k)
        ++*std::min_element(others.begin(), others.end());
    }
    return closed;
  }
};

TEST_F(rebalance_test, moves_connections_to_a_node_that_came_later) {
  std::uint64_t own = 3000;
  counts others{3000, 0};
  EXPECT_EQ(run(30, own, others), 0U) << "it waits: a rolling restart is not over yet";
  EXPECT_GT(run(10, own, others), 250U);
  EXPECT_LE(own, 3000U - 250U);
  run(200, own, others);
  EXPECT_LE(own, 2100U) << "1.05 x the mean of 2000";
  EXPECT_GE(own, 2050U);
  EXPECT_EQ(run(1000, own, others), 0U);
}

TEST_F(rebalance_test, is_slow) {
  std::uint64_t own = 10'000;
  counts others{0};
  run(30, own, others);
  for (int i = 0; i < 50; ++i)
    EXPECT_LE(run(1, own, others), 100U);
}

TEST_F(rebalance_test, lets_small_differences_be) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(second(1190, {1000, 810}), 0U) << "1.19 x the mean";
    EXPECT_EQ(second(60, {0, 0}), 0U) << "a few are not worth it";
    EXPECT_EQ(second(5000, {}), 0U) << "nobody else is there";
    EXPECT_EQ(second(100, {5000}), 0U) << "others have too many";
  }
}

TEST_F(rebalance_test, begins_to_wait_anew_when_it_was_fair_in_between) {
  for (int i = 0; i < 10; ++i) {
    for (int k = 0; k < 29; ++k)
      EXPECT_EQ(second(3000, {1000}), 0U);
    EXPECT_EQ(second(1000, {1000}), 0U);
  }
}

TEST_F(rebalance_test, gives_up_for_a_while_when_they_come_back) {
  std::uint64_t own = 2000;
  counts others{1000};
  const auto closed = run(400, own, others, true);
  EXPECT_EQ(closed, 2U * (2000 - 1575)) << "twice what is over 1.05 x the mean";
  const auto rounds = run(3600, own, others, true) / closed;
  EXPECT_GE(rounds, 3600U / (300 + 30 + 43)) << "and tries again";
  EXPECT_LE(rounds, 3600U / (300 + 30 + 43) + 1);
}

TEST_F(rebalance_test, can_be_switched_off) {
  balance = rebalance{0s};
  std::uint64_t own = 3000;
  counts others{0};
  EXPECT_EQ(run(1000, own, others), 0U);
}

TEST(connections_of_others, are_those_of_nodes_that_serve_once_each) {
  std::vector<std::unique_ptr<shard_status>> shards;
  EXPECT_TRUE(connections_of_others(shards, "me").empty());
  for (int i = 0; i < 2; ++i)
    shards.push_back(std::make_unique<shard_status>());
  EXPECT_TRUE(connections_of_others(shards, "me").empty()) << "nothing is known yet";
  const auto entry = [](const char* node, const char* state, int connections) {
    return cluster::roster_entry{node, R"({"id":"x","state":")" + std::string{state}
                                         + R"(","connections":)" + std::to_string(connections)
                                         + "}"};
  };
  shards[0]->roster.store(std::make_shared<const cluster::redis_roster::roster>(
    cluster::redis_roster::roster{entry("me", "ready", 1),
                                  entry("a", "ready", 2),
                                  entry("b", "draining", 3),
                                  {"older", R"({"connections":4})"},
                                  {"odd", "no JSON"}}));
  shards[1]->roster.store(std::make_shared<const cluster::redis_roster::roster>(
    cluster::redis_roster::roster{entry("a", "ready", 2), entry("c", "ready", 5)}));
  EXPECT_EQ(connections_of_others(shards, "me"), (counts{2, 5}));
}

} // namespace
} // namespace canang::actors
