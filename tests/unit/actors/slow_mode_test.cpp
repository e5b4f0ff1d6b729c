#include "actors/slow_mode.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace canang::actors {
namespace {

using namespace std::chrono_literals;

struct slow_mode_test : testing::Test {
  slow_mode paces;
  slow_mode::clock::time_point now{1h};

  std::chrono::milliseconds claim(std::string_view room, std::string_view who,
                                  std::string_view key = {}) {
    return paces.claim(room, who, 5s, key, now).wait;
  }

  slow_mode::turn take(std::string_view room, std::string_view who, std::string_view key = {}) {
    const auto told = paces.claim(room, who, 5s, key, now);
    EXPECT_FALSE(told.is_refused());
    return told.taken;
  }
};

TEST_F(slow_mode_test, one_publish_is_free_and_the_next_one_waits) {
  EXPECT_EQ(claim("r", "ann"), 0ms);
  EXPECT_EQ(claim("r", "ann"), 5s);
  now += 4999ms;
  EXPECT_EQ(claim("r", "ann"), 1ms);
  now += 1ms;
  EXPECT_EQ(claim("r", "ann"), 0ms);
  EXPECT_EQ(claim("r", "ann"), 5s);
}

TEST_F(slow_mode_test, users_and_rooms_wait_for_themselves_alone) {
  EXPECT_EQ(claim("r", "ann"), 0ms);
  EXPECT_EQ(claim("r", "bob"), 0ms);
  EXPECT_EQ(claim("s", "ann"), 0ms);
  EXPECT_EQ(claim("ran", "n"), 0ms) << "names do not run together";
}

TEST_F(slow_mode_test, a_publish_that_is_sent_again_is_the_same_publish) {
  EXPECT_EQ(claim("r", "ann", "k1"), 0ms);
  EXPECT_EQ(claim("r", "ann", "k1"), 0ms);
  EXPECT_EQ(claim("r", "ann", "k2"), 5s);
  EXPECT_EQ(claim("r", "ann"), 5s);
}

TEST_F(slow_mode_test, a_publish_that_was_not_stored_gives_its_turn_back) {
  paces.settle(take("r", "ann"), false);
  EXPECT_EQ(paces.size(), 0U);
  const auto second = take("r", "ann");
  now += 1s;
  paces.settle(second, true);
  EXPECT_EQ(claim("r", "ann"), 4s) << "it was stored";
}

TEST_F(slow_mode_test, what_comes_too_late_gives_nobody_elses_turn_back) {
  const auto failed = take("r", "ann");
  paces.settle(failed, false);
  take("r", "ann"); // at the same moment
  paces.settle(failed, false);
  EXPECT_EQ(claim("r", "ann"), 5s) << "that of the second publish";
  const auto over = take("r", "bob");
  now += 5s;
  take("r", "bob");
  paces.settle(over, false);
  EXPECT_EQ(claim("r", "bob"), 5s) << "the first turn was over";
}

TEST_F(slow_mode_test, a_turn_is_kept_as_long_as_one_that_has_it_may_be_stored) {
  const auto first = take("r", "ann", "k");
  const auto again = take("r", "ann", "k");
  EXPECT_EQ(first, again);
  paces.settle(first, false);
  EXPECT_EQ(claim("r", "ann"), 5s) << "the other one is on its way";
  paces.settle(again, true);
  EXPECT_EQ(claim("r", "ann"), 5s);
  paces.settle(take("r", "ann", "k"), false);
  EXPECT_EQ(claim("r", "ann"), 5s) << "it was stored before";
  paces.settle(take("r", "bob", "k"), false);
  EXPECT_EQ(claim("r", "bob"), 0ms);
}

TEST_F(slow_mode_test, nothing_is_kept_of_what_is_over) {
  for (int i = 0; i < 100; ++i)
    claim("r", "user" + std::to_string(i));
  EXPECT_EQ(paces.size(), 100U);
  now += 5s;
  paces.expire(now);
  EXPECT_EQ(paces.size(), 0U);
}

TEST_F(slow_mode_test, is_bounded_and_forgets_who_waited_longest) {
  claim("r", "first");
  now += 1ms;
  for (std::size_t i = 1; i < slow_mode::max_waiting; ++i)
    claim("r", "user" + std::to_string(i));
  EXPECT_EQ(paces.size(), slow_mode::max_waiting);
  EXPECT_EQ(claim("r", "one more"), 0ms);
  EXPECT_EQ(paces.size(), slow_mode::max_waiting);
  EXPECT_EQ(claim("r", "first"), 0ms) << "it was forgotten";
  EXPECT_EQ(claim("r", "one more"), 5s);
}

} // namespace
} // namespace canang::actors
