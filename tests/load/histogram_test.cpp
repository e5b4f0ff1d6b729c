#include "bench/load/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace canang::load {
namespace {

TEST(histogram, is_zero_when_empty) {
  histogram h;
  EXPECT_EQ(h.count(), 0U);
  EXPECT_EQ(h.percentile_ns(50), 0U);
  EXPECT_EQ(h.max_ns(), 0U);
  EXPECT_EQ(h.mean_ns(), 0.0);
}

TEST(histogram, keeps_small_values_exactly) {
  for (std::uint64_t value : {0U, 1U, 17U, 1023U, 1024U, 2047U}) {
    histogram h;
    h.record(value);
    EXPECT_EQ(h.max_ns(), value);
    EXPECT_EQ(h.min_ns(), value);
  }
}

TEST(histogram, is_off_by_a_thousandth_at_most_at_every_bucket_border) {
  for (unsigned bit = 1; bit < 37; ++bit) {
    for (std::int64_t shift : {-1, 0, 1}) {
      const auto value = static_cast<std::uint64_t>((std::int64_t{1} << bit) + shift);
      histogram h;
      h.record(value);
      EXPECT_GE(h.max_ns(), value);
      EXPECT_LE(static_cast<double>(h.max_ns()), static_cast<double>(value) * 1.001);
    }
  }
}

TEST(histogram, counts_too_large_values_as_the_highest) {
  histogram h;
  h.record(~std::uint64_t{0});
  EXPECT_EQ(h.max_ns(), histogram::highest_ns);
}

TEST(histogram, gives_the_percentiles_of_a_sorted_list) {
  std::mt19937_64 random{7};
  std::lognormal_distribution<double> spread{13.0, 2.0}; // around 0.4 ms, with a long tail
  histogram h;
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 100'000; ++i) {
    values.push_back(
      std::min<std::uint64_t>(static_cast<std::uint64_t>(spread(random)), histogram::highest_ns));
    h.record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (double percent : {0.001, 1.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
    const auto rank = static_cast<std::size_t>(
      std::max(1.0, std::ceil(percent / 100 * static_cast<double>(values.size()) - 1e-9)));
    const auto expected = static_cast<double>(values[rank - 1]);
    EXPECT_NEAR(static_cast<double>(h.percentile_ns(percent)), expected, expected * 0.001)
      << percent;
  }
}

TEST(histogram, merges_and_clears) {
  histogram a;
  histogram b;
  a.record(100, 3);
  b.record(200);
  a.merge(b);
  EXPECT_EQ(a.count(), 4U);
  EXPECT_EQ(a.percentile_ns(75), 100U);
  EXPECT_EQ(a.max_ns(), 200U);
  EXPECT_DOUBLE_EQ(a.mean_ns(), 125.0);
  a.clear();
  EXPECT_EQ(a.count(), 0U);
}

} // namespace
} // namespace canang::load
