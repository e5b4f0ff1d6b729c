#include "net/hooks/hook_breaker.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using namespace std::chrono_literals;
using state = hook_breaker::state;

struct hook_breaker_test : testing::Test {
  hook_breaker breaker;
  hook_breaker::clock::time_point now{1h};

  void open() {
    for (unsigned i = 0; i < hook_breaker::most_failures; ++i) {
      EXPECT_TRUE(breaker.may_ask(now));
      EXPECT_EQ(breaker.fail(now), i + 1 == hook_breaker::most_failures);
    }
    EXPECT_EQ(breaker.current(), state::open);
  }
};

TEST_F(hook_breaker_test, lets_all_ask_while_there_are_answers) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(breaker.may_ask(now));
    EXPECT_FALSE(i % 2 == 0 ? breaker.fail(now) : breaker.succeed());
  }
  EXPECT_EQ(breaker.current(), state::closed);
}

TEST_F(hook_breaker_test, opens_after_failures_in_a_row_and_lets_one_ask_after_a_pause) {
  open();
  EXPECT_FALSE(breaker.may_ask(now + hook_breaker::least_pause - 1ms));
  now += hook_breaker::least_pause;
  EXPECT_TRUE(breaker.may_ask(now));
  EXPECT_EQ(breaker.current(), state::half_open);
  EXPECT_FALSE(breaker.may_ask(now)) << "one, as a trial";
  EXPECT_TRUE(breaker.succeed());
  EXPECT_EQ(breaker.current(), state::closed);
  EXPECT_TRUE(breaker.may_ask(now) && breaker.may_ask(now));
}

TEST_F(hook_breaker_test, waits_twice_as_long_after_a_trial_that_fails_but_not_for_ever) {
  open();
  auto pause = hook_breaker::least_pause;
  for (int i = 0; i < 8; ++i) {
    EXPECT_FALSE(breaker.may_ask(now + pause - 1ms)) << i;
    now += pause;
    EXPECT_TRUE(breaker.may_ask(now)) << i;
    EXPECT_FALSE(breaker.fail(now)) << "it is not new";
    pause = std::min(2 * pause, hook_breaker::most_pause);
  }
  now += hook_breaker::most_pause;
  EXPECT_TRUE(breaker.may_ask(now));
  EXPECT_TRUE(breaker.succeed());
  open();
  EXPECT_TRUE(breaker.may_ask(now + hook_breaker::least_pause)) << "and begins anew";
}

TEST_F(hook_breaker_test, does_not_count_what_was_asked_before_it_opened) {
  open();
  EXPECT_FALSE(breaker.fail(now + 500ms));
  EXPECT_TRUE(breaker.may_ask(now + hook_breaker::least_pause));
}

} // namespace
} // namespace canang::net
