#include "net/admission.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace canang::net {
namespace {

using namespace std::chrono_literals;
using clock = admission::clock;

constexpr clock::time_point start{1h};

TEST(admission, without_limits_takes_everybody) {
  admission door{{}};
  counter open;
  open.add(1'000'000);
  door.watch(open);
  door.set_memory_used(1ULL << 60U);
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(door.refusal(start), std::nullopt);
  EXPECT_EQ(door.headroom(), 1);
}

TEST(admission, counts_the_connections_of_all_loops) {
  admission door{{.max_connections = 10}};
  counter first;
  counter second;
  door.watch(first);
  door.watch(second);
  first.add(4);
  second.add(5);
  EXPECT_EQ(door.refusal(start), std::nullopt);
  EXPECT_NEAR(door.headroom(), 0.1, 1e-9);
  first.add(1);
  EXPECT_EQ(door.refusal(start), reject_reason::connections);
  EXPECT_EQ(door.headroom(), 0);
  second.subtract(1);
  EXPECT_EQ(door.refusal(start), std::nullopt);
}

TEST(admission, refuses_above_the_memory_limit_and_has_the_lesser_headroom) {
  admission door{{.max_connections = 100, .max_memory_bytes = 1000}};
  counter open;
  open.add(50);
  door.watch(open);
  EXPECT_NEAR(door.headroom(), 0.5, 1e-9);
  door.set_memory_used(900);
  EXPECT_EQ(door.refusal(start), std::nullopt);
  EXPECT_NEAR(door.headroom(), 0.1, 1e-9);
  door.set_memory_used(1000);
  EXPECT_EQ(door.refusal(start), reject_reason::memory);
  door.set_memory_used(5000);
  EXPECT_EQ(door.headroom(), 0);
}

/// How many of those that ask every millisecond for `time` are taken.
int taken(admission& door, clock::time_point from, std::chrono::milliseconds time, int at_once) {
  int count = 0;
  for (auto now = from; now < from + time; now += 1ms)
    for (int i = 0; i < at_once; ++i)
      count += !door.refusal(now);
  return count;
}

TEST(admission, keeps_the_rate_but_for_a_quarter_of_a_second_at_once) {
  admission door{{.accepts_per_second = 100}};
  EXPECT_NEAR(taken(door, start, 1ms, 1000), 26, 1);
  EXPECT_EQ(door.refusal(start), reject_reason::rate);
  EXPECT_NEAR(taken(door, start + 1ms, 10s, 5), 1000, 2);
  EXPECT_NEAR(taken(door, start + 1h, 1ms, 1000), 26, 1) << "time without anyone is not saved up";
}

TEST(admission, one_that_counts_more_takes_the_turns_of_as_many) {
  admission door{{.accepts_per_second = 100}};
  EXPECT_EQ(door.refusal(start, 128), std::nullopt);
  EXPECT_EQ(door.refusal(start), reject_reason::rate);
  EXPECT_EQ(door.refusal(start + 1s), reject_reason::rate);
  EXPECT_EQ(door.refusal(start + 1030ms), std::nullopt);
}

TEST(admission, takes_one_a_second_when_told_so) {
  admission door{{.accepts_per_second = 1}};
  EXPECT_EQ(taken(door, start, 9500ms, 3), 10);
}

TEST(admission, keeps_the_rate_for_all_loops_together) {
  admission door{{.accepts_per_second = 1000}};
  std::atomic<int> count{0};
  std::vector<std::thread> loops;
  for (int i = 0; i < 4; ++i)
    loops.emplace_back([&] { count += taken(door, start, 1s, 3); });
  for (auto& loop : loops)
    loop.join();
  EXPECT_LE(count, 1000 + 251);
  EXPECT_GE(count, 1000);
}

} // namespace
} // namespace canang::net
