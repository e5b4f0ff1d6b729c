#include "app/units.hpp"

#include <gtest/gtest.h>

namespace canang::app {
namespace {

using namespace std::chrono_literals;

TEST(duration, has_a_unit) {
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("25s"), 25s);
  EXPECT_EQ(parse_duration("5m"), 5min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  EXPECT_EQ(parse_duration("007s"), 7s);
}

TEST(duration, may_be_a_sum) {
  EXPECT_EQ(parse_duration("1m30s"), 90s);
  EXPECT_EQ(parse_duration("1h2m3s4ms"), 1h + 2min + 3s + 4ms);
}

TEST(duration, may_be_zero) {
  for (const char* text : {"0", "0s", "0ms", "0h0m"})
    EXPECT_EQ(parse_duration(text), 0ms) << text;
}

TEST(duration, is_refused_when_wrong) {
  for (const char* text :
       {"",    "5",    "00", "s",  "ms",  "-1s",  "+1s", "1.5s", "1 s",  " 1s",
        "1s ", "1sec", "1S", "1d", "1us", "1m30", "s1",  "1ss",  "0x1s", "99999999999999999999s"})
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

TEST(duration, is_refused_over_ten_years) {
  EXPECT_TRUE(parse_duration("87600h"));
  EXPECT_EQ(parse_duration("87601h"), std::nullopt);
  EXPECT_EQ(parse_duration("87600h1ms"), std::nullopt);
  EXPECT_EQ(parse_duration("18446744073709551615h"), std::nullopt);
}

TEST(size, is_in_bytes_or_has_a_unit) {
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("65536"), 65536U);
  EXPECT_EQ(parse_size("65536B"), 65536U);
  EXPECT_EQ(parse_size("64KiB"), 65536U);
  EXPECT_EQ(parse_size("3MiB"), 3U << 20U);
  EXPECT_EQ(parse_size("2GiB"), 2ULL << 30U);
  EXPECT_EQ(parse_size("4294967295GiB"), 4294967295ULL << 30U);
}

TEST(size, is_refused_when_wrong) {
  for (const char* text : {"", "B", "KiB", "-1", "+1", "1.5MiB", "1 KiB", "64KB", "64kib", "64K",
                           "1KiBx", " 1", "1 ", "1KiB1B", "0x10", "99999999999999999999"})
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
}

} // namespace
} // namespace canang::app
