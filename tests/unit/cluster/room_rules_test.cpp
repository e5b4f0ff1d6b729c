#include "cluster/room_rules.hpp"

#include <gtest/gtest.h>

namespace canang::cluster {
namespace {

TEST(room_rules_test, by_default_all_rooms_have_presence_and_none_tells_of_it) {
  const room_rules rules;
  EXPECT_TRUE(rules.keeps_presence("any"));
  EXPECT_FALSE(rules.announces("any"));
}

TEST(room_rules_test, one_glob_that_matches_is_enough) {
  const room_rules rules{{}, {"a*", "b?"}};
  EXPECT_FALSE(rules.keeps_presence("ab"));
  EXPECT_TRUE(rules.announces("ab"));
  EXPECT_TRUE(rules.announces("bc"));
  EXPECT_FALSE(rules.announces("b"));
}

} // namespace
} // namespace canang::cluster
