#include "base/glob.hpp"

#include <gtest/gtest.h>

#include <string>

namespace canang {
namespace {

TEST(glob_test, a_glob_is_the_whole_name) {
  EXPECT_TRUE(matches_glob("lobby", "lobby"));
  EXPECT_FALSE(matches_glob("lobby", "lobby2"));
  EXPECT_FALSE(matches_glob("lobby", "a lobby"));
  EXPECT_FALSE(matches_glob("lobby", "lobb"));
  EXPECT_TRUE(matches_glob("", ""));
  EXPECT_FALSE(matches_glob("", "x"));
}

TEST(glob_test, a_star_is_any_number_of_bytes_and_a_question_mark_one) {
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("*", "anything"));
  EXPECT_TRUE(matches_glob("chat.*", "chat."));
  EXPECT_TRUE(matches_glob("chat.*", "chat.a.b"));
  EXPECT_FALSE(matches_glob("chat.*", "chat"));
  EXPECT_TRUE(matches_glob("*.eu", "a.us.eu"));
  EXPECT_FALSE(matches_glob("*.eu", "a.eu.us"));
  EXPECT_TRUE(matches_glob("a*b*c", "a-b-b-c"));
  EXPECT_TRUE(matches_glob("a**", "a"));
  EXPECT_TRUE(matches_glob("?oom", "room"));
  EXPECT_FALSE(matches_glob("?oom", "oom"));
  EXPECT_FALSE(matches_glob("room?", "room"));
}

TEST(glob_test, many_stars_take_no_exponential_time) {
  std::string glob;
  for (int i = 0; i < 100; ++i)
    glob += "*a";
  EXPECT_FALSE(matches_glob(glob + "b", std::string(255, 'a')));
}

} // namespace
} // namespace canang
