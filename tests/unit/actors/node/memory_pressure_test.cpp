#include "actors/node/memory_pressure.hpp"

#include <gtest/gtest.h>

namespace canang::actors {
namespace {

using namespace std::chrono_literals;

struct memory_pressure_test : testing::Test {
  memory_pressure pressure{1600};
  memory_pressure::clock::time_point now{1h};
};

TEST_F(memory_pressure_test, below_the_limit_nothing_has_to_go) {
  EXPECT_EQ(pressure.to_shed(1599, 0, now), 0U);
}

TEST_F(memory_pressure_test, what_is_over_the_limit_goes_and_a_sixteenth_more) {
  EXPECT_EQ(pressure.to_shed(1600, 0, now), 100U);
  EXPECT_EQ(pressure.to_shed(1900, 0, now + 999ms), 0U) << "not again at once";
  EXPECT_EQ(pressure.to_shed(1900, 0, now + 1s), 400U) << "nothing could be let go meanwhile";
}

TEST_F(memory_pressure_test, what_was_let_go_a_moment_ago_counts_though_it_does_not_show_yet) {
  EXPECT_EQ(pressure.to_shed(1900, 0, now), 400U);
  EXPECT_EQ(pressure.to_shed(1900, 400, now + 1s), 0U);
  EXPECT_EQ(pressure.to_shed(1900, 400, now + 2s), 400U) << "it should show by now";
  EXPECT_EQ(pressure.to_shed(1800, 700, now + 3s), 0U);
  EXPECT_EQ(pressure.to_shed(1500, 700, now + 4s), 0U);
}

TEST_F(memory_pressure_test, without_a_limit_nothing_ever_goes) {
  EXPECT_EQ(memory_pressure{0}.to_shed(1'000'000, 0, now), 0U);
}

} // namespace
} // namespace canang::actors
