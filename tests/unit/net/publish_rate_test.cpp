#include "net/publish_rate.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using namespace std::chrono_literals;
using clock = publish_allowance::clock;

/// Some moment of a machine that has been up for long.
clock::time_point moment(std::chrono::nanoseconds after) {
  return clock::time_point{1'000'000s} + after;
}

TEST(publish_price, is_the_larger_part_of_the_two_rates) {
  const publish_price price{{1000, 1'000'000}};
  const auto message = price.of(0);
  EXPECT_NEAR(static_cast<double>(message), 1e6 / (1 + publish_tolerance), 1e3);
  EXPECT_EQ(price.of(1000), message) << "a thousandth of the bytes, too";
  EXPECT_EQ(price.of(999), message);
  EXPECT_NEAR(static_cast<double>(price.of(10'000)), 10 * static_cast<double>(message), 1e3);
}

TEST(publish_price, is_nothing_without_a_rate) {
  EXPECT_EQ(publish_price{publish_rate{}}.of(1'000'000), 0);
  EXPECT_FALSE(publish_price{publish_rate{}}.is_limited());
  EXPECT_EQ((publish_price{{0, 1000}}.of(0)), 0);
  EXPECT_TRUE((publish_price{{0, 1000}}.is_limited()));
  EXPECT_EQ((publish_price{{1000, 0}}.of(1'000'000)), (publish_price{{1000, 0}}.of(0)));
}

TEST(publish_price, of_one_message_has_a_limit_however_small_the_rate_is) {
  const publish_price price{{0, 1}};
  EXPECT_EQ(price.of(1U << 30U), std::chrono::nanoseconds{longest_price}.count());
  EXPECT_LT(price.of(1), std::chrono::nanoseconds{1s}.count());
}

struct publish_allowance_test : testing::Test {
  publish_price price{{100, 0}};
  publish_allowance allowance;

  /// Publishes at `when` as long as it may.
  int publish(clock::time_point when) {
    int count = 0;
    for (; !allowance.is_used_up(when); ++count)
      allowance.take(price.of(0), when);
    return count;
  }
};

TEST_F(publish_allowance_test, lets_half_a_seconds_worth_pass_at_once) {
  const auto count = publish(moment(0s));
  EXPECT_GE(count, 50);
  EXPECT_LE(count, 54);
}

TEST_F(publish_allowance_test, of_one_that_was_idle_is_not_more) {
  publish(moment(0s));
  EXPECT_LE(publish(moment(1h)), 54);
}

TEST_F(publish_allowance_test, then_lets_pass_what_the_rate_allows) {
  publish(moment(0s));
  int count = 0;
  for (auto at = 100ms; at <= 60s; at += 100ms)
    count += publish(moment(at));
  EXPECT_GE(count, 6000);
  EXPECT_LE(count, 6310) << "and the tolerance";
}

TEST_F(publish_allowance_test, is_back_when_it_says_so) {
  publish(moment(0s));
  const auto next = allowance.next();
  EXPECT_TRUE(allowance.is_used_up(next - 1ns));
  EXPECT_FALSE(allowance.is_used_up(next));
  EXPECT_EQ(publish(next), 1);
}

TEST_F(publish_allowance_test,
       is_never_used_up_at_exactly_the_rate_even_by_a_clock_that_runs_fast) {
  for (int i = 0; i < 100'000; ++i) {
    const auto when = moment(i * 9'999us);
    ASSERT_FALSE(allowance.is_used_up(when)) << i;
    allowance.take(price.of(0), when);
  }
}

TEST_F(publish_allowance_test, goes_below_nothing_and_comes_back) {
  for (int i = 0; i < 1050; ++i)
    allowance.take(price.of(0), moment(0s));
  EXPECT_NEAR(std::chrono::duration<double>{allowance.next() - moment(0s)}.count(), 9.5, 0.1);
}

TEST_F(publish_allowance_test, that_is_bound_is_back_when_that_time_is_over) {
  for (int i = 0; i < 100'000; ++i)
    allowance.take(price.of(0), moment(0s));
  allowance.bound(10s, moment(1s));
  EXPECT_TRUE(allowance.is_used_up(moment(10s)));
  EXPECT_FALSE(allowance.is_used_up(moment(11s)));
  allowance.bound(10s, moment(11s));
  EXPECT_FALSE(allowance.is_used_up(moment(11s))) << "it gives nobody a debt";
}

} // namespace
} // namespace canang::net
