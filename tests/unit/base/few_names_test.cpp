#include "base/few_names.hpp"

#include <gtest/gtest.h>

namespace canang {
namespace {

TEST(few_names, forget_the_oldest_one) {
  few_names names{2};
  names.insert("a");
  names.insert("b");
  names.insert("a"); // is there already
  EXPECT_EQ(names.size(), 2U);
  names.insert("c");
  EXPECT_FALSE(names.contains("a"));
  EXPECT_TRUE(names.contains("b"));
  EXPECT_TRUE(names.contains("c"));
  EXPECT_EQ(names.size(), 2U);
}

} // namespace
} // namespace canang
