#include "app/import/imported_values.hpp"

#include <gtest/gtest.h>

#include <string>

namespace canang::app {
namespace {

using namespace std::chrono_literals;
using kind = imported_key::kind;

imported_key text(const std::string& what) { return {.what = kind::text, .text = what}; }
imported_key number(const std::string& what) { return {.what = kind::number, .text = what}; }

TEST(imported_values_test, has_durations_as_go_writes_them) {
  EXPECT_EQ(duration_of(text("25s")), 25s);
  EXPECT_EQ(duration_of(text("1h30m")), 90min);
  EXPECT_EQ(duration_of(text("1.5s")), 1500ms);
  EXPECT_EQ(duration_of(text("300ms2s")), 2300ms);
  EXPECT_EQ(duration_of(text("1500us")), 2ms);
  EXPECT_EQ(duration_of(text("2\u00b5s")), 0ms);
  EXPECT_EQ(duration_of(text("-5s")), -5s);
  EXPECT_EQ(duration_of(text("0")), 0ms);
  EXPECT_EQ(duration_of(number("25000000000")), 25s) << "nanoseconds";
  for (const auto* const wrong :
       {"", "s", "5 s", "5d", "1.2.3s", "1e3s", "-", "99999999999h", "..s"})
    EXPECT_EQ(duration_of(text(wrong)), std::nullopt) << wrong;
  EXPECT_EQ(duration_of({.what = kind::flag, .text = "true"}), std::nullopt);
}

TEST(imported_values_test, takes_numbers_and_flags_in_quotes) {
  EXPECT_EQ(number_of(text("8000")), 8000);
  EXPECT_EQ(number_of(number("-1")), -1);
  for (const auto* const wrong : {"", "1.5", "8000x", " 1", "99999999999999999999"})
    EXPECT_EQ(number_of(text(wrong)), std::nullopt) << wrong;
  EXPECT_EQ(flag_of(text("true")), true);
  EXPECT_EQ(flag_of(number("0")), false);
  EXPECT_EQ(flag_of(text("maybe")), std::nullopt);
  EXPECT_EQ(flag_of({.what = kind::list}), std::nullopt);
}

TEST(imported_values_test, takes_lists_and_texts_with_several) {
  EXPECT_EQ(list_of(text("a,b  c"), ", "), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(list_of({.what = kind::list, .items = {"a b"}}, ", "),
            (std::vector<std::string>{"a b"}));
  EXPECT_EQ(list_of(number("1"), ","), std::nullopt);
}

TEST(imported_values_test, writes_the_largest_unit_that_divides) {
  EXPECT_EQ(to_text(0ms), "0s");
  EXPECT_EQ(to_text(1500ms), "1500ms");
  EXPECT_EQ(to_text(90min), "90m");
  EXPECT_EQ(to_text(2h), "2h");
  EXPECT_EQ(size_to_text(0), "0");
  EXPECT_EQ(size_to_text(1000), "1000");
  EXPECT_EQ(size_to_text(64 * 1024), "64KiB");
  EXPECT_EQ(size_to_text(3ULL << 20U), "3MiB");
}

} // namespace
} // namespace canang::app
