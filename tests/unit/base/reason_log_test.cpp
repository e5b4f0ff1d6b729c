#include "base/reason_log.hpp"

#include <gtest/gtest.h>

#include <string>

namespace canang::cluster {
namespace {

using namespace std::chrono_literals;

struct reason_log_test : testing::Test {
  reason_log reasons;
  reason_log::clock::time_point now{1h};

  /// What is said of a reason now: `-` nothing, else how often it was not.
  std::string note(const std::string& reason) {
    const auto unsaid = reasons.note(reason, now);
    return unsaid ? std::to_string(*unsaid) : "-";
  }
};

TEST_F(reason_log_test, says_a_reason_at_once_and_then_once_a_minute_with_a_count) {
  EXPECT_EQ(note("refused"), "0");
  for (int second = 1; second < 60; ++second) {
    now += 1s;
    EXPECT_EQ(note("refused"), "-") << second;
  }
  now += 1s;
  EXPECT_EQ(note("refused"), "59");
  now += 59s;
  EXPECT_EQ(note("refused"), "-");
  now += 1s;
  EXPECT_EQ(note("refused"), "1");
}

TEST_F(reason_log_test, says_each_change) {
  EXPECT_EQ(note("closed"), "0");
  EXPECT_EQ(note("closed"), "-");
  EXPECT_EQ(note("wrong password"), "1");
  EXPECT_EQ(note("wrong password"), "-");
  EXPECT_EQ(note("closed"), "1") << "it is that again";
}

TEST_F(reason_log_test, is_not_led_to_fill_the_log_by_reasons_that_take_turns) {
  unsigned said = 0;
  for (int i = 0; i < 600; ++i) {
    now += 500ms;
    said += note(i % 2 == 0 ? "this" : "that") == "-" ? 0 : 1;
  }
  EXPECT_LE(said, 5 * (reason_log::most_changes + 1)) << "in five minutes";
  EXPECT_GE(said, 5U);
}

TEST_F(reason_log_test, takes_what_comes_after_the_end_for_new) {
  EXPECT_EQ(note("closed"), "0");
  EXPECT_EQ(note("closed"), "-");
  reasons.clear();
  EXPECT_EQ(note("closed"), "0");
}

} // namespace
} // namespace canang::cluster
