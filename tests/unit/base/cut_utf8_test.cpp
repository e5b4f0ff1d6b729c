#include "base/cut_utf8.hpp"

#include <gtest/gtest.h>

namespace canang {
namespace {

TEST(cut_utf8, leaves_what_fits_as_it_is) {
  EXPECT_EQ(cut_utf8("", 0), "");
  EXPECT_EQ(cut_utf8("abc", 3), "abc");
  EXPECT_EQ(cut_utf8("\xe2\x82\xac", 3), "\xe2\x82\xac");
}

TEST(cut_utf8, cuts_between_characters) {
  EXPECT_EQ(cut_utf8("abcd", 3), "abc");
  EXPECT_EQ(cut_utf8("a\xe2\x82\xac", 3), "a");
  EXPECT_EQ(cut_utf8("a\xe2\x82\xac"
                     "b",
                     4),
            "a\xe2\x82\xac");
  EXPECT_EQ(cut_utf8("\xf0\x9f\x98\x80", 3), "");
}

} // namespace
} // namespace canang
