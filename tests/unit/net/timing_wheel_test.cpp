#include "net/timing_wheel.hpp"

#include "tests/unit/support/seed.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>

namespace canang::net {
namespace {

using namespace std::chrono_literals;
using time_point = timing_wheel::clock::time_point;

constexpr time_point start{1'000'000s};
constexpr auto tick = 100ms;

/// An entry that notes when it fired, and then does what it is told.
struct alarm final : timing_wheel::entry {
  std::vector<time_point> fired;
  std::function<void(time_point)> then;

private:
  void on_deadline(time_point now) override {
    fired.push_back(now);
    if (const auto action = then) // a copy: the action may destroy this
      action(now);
  }
};

TEST(timing_wheel, fires_at_the_first_tick_at_or_after_the_deadline) {
  timing_wheel wheel{start, tick, 8};
  alarm exact;
  alarm between;
  wheel.schedule(exact, start + 300ms);
  wheel.schedule(between, start + 301ms);
  EXPECT_EQ(wheel.advance(start + 299ms), 0U);
  EXPECT_EQ(wheel.advance(start + 300ms), 1U);
  EXPECT_EQ(exact.fired.size(), 1U);
  EXPECT_FALSE(exact.scheduled());
  EXPECT_EQ(wheel.advance(start + 399ms), 0U);
  EXPECT_EQ(wheel.advance(start + 400ms), 1U);
  EXPECT_EQ(wheel.advance(start + 10s), 0U);
}

TEST(timing_wheel, fires_a_deadline_of_the_past_at_its_next_tick) {
  timing_wheel wheel{start, tick, 8};
  alarm item;
  wheel.schedule(item, start - 1h);
  EXPECT_EQ(wheel.advance(start), 0U);
  EXPECT_EQ(wheel.advance(start + tick), 1U);
  wheel.advance(start + 5s);
  wheel.schedule(item, start + 1s);
  EXPECT_EQ(wheel.advance(start + 5s), 0U);
  EXPECT_EQ(wheel.advance(start + 5s + tick), 1U);
}

TEST(timing_wheel, waits_for_the_round_of_a_deadline_beyond_the_first) {
  timing_wheel wheel{start, tick, 8}; // a round is 800 ms
  alarm item;
  wheel.schedule(item, start + 3 * 800ms + 200ms);
  for (auto now = start; now < start + 2600ms; now += 50ms)
    EXPECT_EQ(wheel.advance(now), 0U);
  EXPECT_EQ(wheel.advance(start + 2600ms), 1U);
}

TEST(timing_wheel, does_not_fire_what_was_cancelled) {
  timing_wheel wheel{start, tick, 8};
  alarm item;
  wheel.schedule(item, start + 300ms);
  EXPECT_TRUE(item.scheduled());
  item.cancel();
  item.cancel();
  EXPECT_FALSE(item.scheduled());
  EXPECT_EQ(wheel.advance(start + 10s), 0U);
}

TEST(timing_wheel, moves_an_entry_that_is_scheduled_again) {
  timing_wheel wheel{start, tick, 8};
  alarm item;
  wheel.schedule(item, start + 300ms);
  wheel.schedule(item, start + 600ms);
  EXPECT_EQ(wheel.advance(start + 500ms), 0U);
  wheel.schedule(item, start + 550ms);
  EXPECT_EQ(wheel.advance(start + 10s), 1U);
}

TEST(timing_wheel, forgets_an_entry_that_is_destroyed) {
  timing_wheel wheel{start, tick, 8};
  {
    alarm item;
    wheel.schedule(item, start + 300ms);
  }
  EXPECT_EQ(wheel.advance(start + 10s), 0U);
}

TEST(timing_wheel, lets_its_entries_go_when_it_is_destroyed) {
  alarm item;
  {
    timing_wheel wheel{start, tick, 8};
    wheel.schedule(item, start + 300ms);
  }
  EXPECT_FALSE(item.scheduled());
  item.cancel();
}

TEST(timing_wheel, fires_once_after_a_pause_of_many_rounds) {
  timing_wheel wheel{start, tick, 8};
  std::vector<alarm> items(30);
  for (std::size_t i = 0; i < items.size(); ++i)
    wheel.schedule(items[i], start + 250ms * (i + 1));
  EXPECT_EQ(wheel.advance(start + 24h), items.size());
  alarm later;
  wheel.schedule(later, start + 24h + 1s);
  EXPECT_EQ(wheel.advance(start + 24h + 999ms), 0U);
  EXPECT_EQ(wheel.advance(start + 24h + 1s), 1U);
}

TEST(timing_wheel, keeps_what_is_not_due_over_a_pause) {
  timing_wheel wheel{start, tick, 8};
  alarm item;
  wheel.schedule(item, start + 1h + 300ms);
  EXPECT_EQ(wheel.advance(start + 1h + 200ms), 0U);
  EXPECT_EQ(wheel.advance(start + 1h + 300ms), 1U);
}

TEST(timing_wheel, ignores_a_clock_that_goes_back) {
  timing_wheel wheel{start, tick, 8};
  alarm item;
  wheel.schedule(item, start + 1s);
  EXPECT_EQ(wheel.advance(start + 900ms), 0U);
  EXPECT_EQ(wheel.advance(start - 1h), 0U);
  EXPECT_EQ(wheel.advance(start + 500ms), 0U);
  EXPECT_EQ(wheel.advance(start + 1s), 1U);
}

TEST(timing_wheel, lets_a_callback_schedule_its_own_entry) {
  timing_wheel wheel{start, tick, 8};
  alarm item;
  item.then = [&](time_point now) { wheel.schedule(item, now + 1s); };
  wheel.schedule(item, start + 1s);
  for (auto now = start; now <= start + 10s; now += tick)
    wheel.advance(now);
  EXPECT_EQ(item.fired.size(), 10U);
}

TEST(timing_wheel, lets_a_callback_cancel_or_move_others_of_its_tick) {
  for (const bool first_acts : {true, false}) {
    timing_wheel wheel{start, tick, 8};
    std::vector<alarm> items(5);
    for (auto& item : items)
      wheel.schedule(item, start + 300ms);
    items[first_acts ? 0 : 2].then = [&](time_point now) {
      items[1].cancel();
      items[3].cancel();
      wheel.schedule(items[4], now + 800ms); // the same slot, the next round
    };
    wheel.advance(start + 300ms);
    EXPECT_EQ(items[0].fired.size(), 1U);
    EXPECT_EQ(items[1].fired.size(), first_acts ? 0U : 1U);
    EXPECT_EQ(items[2].fired.size(), 1U);
    EXPECT_EQ(items[3].fired.size(), 0U);
    EXPECT_EQ(items[4].fired.size(), 0U);
    EXPECT_EQ(wheel.advance(start + 1000ms), 0U);
    EXPECT_EQ(wheel.advance(start + 1100ms), 1U);
  }
}

TEST(timing_wheel, lets_a_callback_destroy_its_entry_and_others) {
  timing_wheel wheel{start, tick, 8};
  std::vector<std::unique_ptr<alarm>> items;
  for (int i = 0; i < 5; ++i) {
    items.push_back(std::make_unique<alarm>());
    wheel.schedule(*items.back(), start + 300ms);
  }
  items[1]->then = [&](time_point) {
    items[1].reset();
    items[2].reset();
    items[4].reset();
  };
  EXPECT_EQ(wheel.advance(start + 300ms), 3U);
  EXPECT_EQ(items[0]->fired.size(), 1U);
  EXPECT_EQ(items[3]->fired.size(), 1U);
}

TEST(timing_wheel, lets_a_callback_schedule_others_for_now_without_end) {
  timing_wheel wheel{start, tick, 8};
  alarm item;
  item.then = [&](time_point now) { wheel.schedule(item, now); };
  wheel.schedule(item, start);
  wheel.advance(start + tick);
  EXPECT_EQ(item.fired.size(), 1U) << "at its next tick, not again in this one";
  wheel.advance(start + 1h);
  EXPECT_LE(item.fired.size(), 1U + 8U) << "at most one a slot when catching up";
}

/// Random operations against a multimap of deadlines. Never early, late by a tick at most, once each.
TEST(timing_wheel, agrees_with_a_plain_model) {
  const auto seed = test::random_seed();
  test::dice random{seed};
  for (const std::size_t slots : {1UL, 2UL, 7UL, 64UL}) {
    timing_wheel wheel{start, tick, slots};
    std::vector<alarm> items(50);
    std::vector<std::optional<time_point>> deadlines(items.size());
    auto now = start;
    for (std::size_t i = 0; i < items.size(); ++i) {
      items[i].then = [&, i](time_point at) {
        ASSERT_TRUE(deadlines[i]) << "fired though not scheduled, seed " << seed;
        ASSERT_GE(at, *deadlines[i]) << "early, seed " << seed;
        deadlines[i].reset();
        if (random.one_in(4)) {
          deadlines[i] = at + std::chrono::milliseconds{random.roll(1, 5000)};
          wheel.schedule(items[i], *deadlines[i]);
        }
        if (random.one_in(4)) {
          const auto other = random.roll<std::size_t>(0, items.size() - 1);
          items[other].cancel();
          deadlines[other].reset();
        }
      };
    }
    for (int step = 0; step < 5000; ++step) {
      const auto which = random.roll<std::size_t>(0, items.size() - 1);
      if (random.one_in(3)) {
        items[which].cancel();
        deadlines[which].reset();
      } else {
        deadlines[which] = now + std::chrono::microseconds{random.roll(-1000, 4'000'000)};
        wheel.schedule(items[which], *deadlines[which]);
      }
      const auto pause = random.one_in(50) ? random.roll(0, 60'000) : random.roll(0, 150);
      const auto before = now;
      now += std::chrono::milliseconds{pause};
      wheel.advance(now);
      std::multimap<time_point, std::size_t> waiting;
      for (std::size_t i = 0; i < items.size(); ++i) {
        ASSERT_EQ(items[i].scheduled(), deadlines[i].has_value()) << "seed " << seed;
        if (deadlines[i])
          waiting.emplace(*deadlines[i], i);
      }
      if (!waiting.empty()) { // one scheduled in this very step may have been in the past already
        const auto due = std::max(waiting.begin()->first, before);
        ASSERT_GT(due + tick, now) << "late, seed " << seed;
      }
    }
  }
}

} // namespace
} // namespace canang::net
