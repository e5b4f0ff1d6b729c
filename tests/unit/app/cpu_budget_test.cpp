#include "app/cpu_budget.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace canang::app {
namespace {

TEST(cpu_max, is_rounded_down_but_at_least_one_core) {
  EXPECT_EQ(cores_of_cpu_max("200000 100000\n"), 2U);
  EXPECT_EQ(cores_of_cpu_max("199999 100000"), 1U);
  EXPECT_EQ(cores_of_cpu_max("150000 100000"), 1U);
  EXPECT_EQ(cores_of_cpu_max("50000 100000"), 1U);
  EXPECT_EQ(cores_of_cpu_max("1 1000000"), 1U);
  EXPECT_EQ(cores_of_cpu_max("6400000 100000"), 64U);
  EXPECT_EQ(cores_of_cpu_max("30000 10000"), 3U);
}

TEST(cpu_max, may_be_without_a_limit) {
  EXPECT_EQ(cores_of_cpu_max("max 100000\n"), std::nullopt);
  EXPECT_EQ(cores_of_cpu_max("-1\n 100000\n"), std::nullopt) << "version 1";
}

TEST(cpu_max, of_version_1_is_in_two_lines) {
  EXPECT_EQ(cores_of_cpu_max("200000\n 100000\n"), 2U);
}

TEST(cpu_max, is_no_limit_when_it_cannot_be_read) {
  for (const char* content : {"", "\n", "100000", "100000 ", "x 100000", "100000 x", "0 100000",
                              "100000 0", "100000 -1", "99999999999999999999 1"})
    EXPECT_EQ(cores_of_cpu_max(content), std::nullopt) << content;
}

TEST(cpu_budget, is_at_least_1_and_at_most_what_the_machine_has) {
  EXPECT_GE(cpu_budget(), 1U);
  EXPECT_LE(cpu_budget(), std::thread::hardware_concurrency());
}

} // namespace
} // namespace canang::app
