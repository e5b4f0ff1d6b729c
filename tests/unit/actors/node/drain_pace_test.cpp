#include "actors/node/drain_pace.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace canang::actors {
namespace {

using namespace std::chrono_literals;
using clock = drain_pace::clock;

std::vector<connection_id> numbers(std::size_t count) {
  std::vector<connection_id> all(count);
  std::iota(all.begin(), all.end(), connection_id{1});
  return all;
}

/// Who is closed in each `step` until all are.
std::vector<std::vector<connection_id>> run(drain_pace pace, clock::time_point begin,
                                            clock::duration step) {
  std::vector<std::vector<connection_id>> steps;
  for (auto now = begin; !pace.is_through(); now += step) {
    steps.emplace_back();
    pace.advance(now, [&](connection_id who) { steps.back().push_back(who); });
  }
  return steps;
}

TEST(drain_pace, is_even_over_its_window_and_reaches_everybody_once) {
  const clock::time_point begin{1h};
  const auto steps = run({numbers(5000), begin, 20s, 1}, begin, 100ms);
  EXPECT_LE(steps.size(), 201U);
  std::vector<connection_id> all;
  for (std::size_t i = 1; i < steps.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(steps[i].size()), 25, 1) << "step " << i;
    all.insert(all.end(), steps[i].begin(), steps[i].end());
  }
  all.insert(all.end(), steps[0].begin(), steps[0].end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, numbers(5000));
}

TEST(drain_pace, mixes_the_order) {
  const clock::time_point begin{1h};
  const auto one = run({numbers(100), begin, 1s, 1}, begin, 1h);
  const auto other = run({numbers(100), begin, 1s, 2}, begin, 1h);
  ASSERT_EQ(one.size(), 2U);
  EXPECT_NE(one[1], numbers(100));
  EXPECT_NE(one[1], other[1]);
}

TEST(drain_pace, does_not_stretch_a_few_over_the_whole_window) {
  const clock::time_point begin{1h};
  EXPECT_LE(run({numbers(20), begin, 1h, 1}, begin, 100ms).size(), 21U);
}

TEST(drain_pace, takes_no_time_when_it_has_none_or_nobody) {
  const clock::time_point begin{1h};
  EXPECT_EQ(run({numbers(20), begin, 0s, 1}, begin, 100ms).size(), 1U);
  EXPECT_TRUE(drain_pace({}, begin, 20s, 1).is_through());
}

} // namespace
} // namespace canang::actors
