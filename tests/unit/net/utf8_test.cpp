// UTF-8 by RFC 3629, section 4, against a decoder that goes the long way.

#include "net/utf8.hpp"

#include "tests/fuzz/utf8.hpp"
#include "tests/unit/support/seed.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace canang::net {
namespace {

using namespace std::string_literals;
using fuzz::begins_utf8;
using test::dice;

bool is_text(std::string_view bytes) { return fuzz::decode_utf8(bytes).has_value(); }

/// What the checker says of `bytes` in one piece, byte by byte and in two pieces cut anywhere must
/// be what the decoder says of them and of each of their beginnings.
void expect_as_decoded(const std::string& bytes) {
  const bool is_valid = is_text(bytes);
  const bool is_beginning = is_valid || begins_utf8(bytes);
  ASSERT_EQ(is_utf8(bytes), is_valid) << testing::PrintToString(bytes);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    utf8_checker checker;
    const auto first = bytes.substr(0, cut);
    ASSERT_EQ(checker.feed(first), begins_utf8(first)) << testing::PrintToString(first);
    ASSERT_EQ(checker.feed(bytes.substr(cut)), is_beginning) << testing::PrintToString(bytes);
    ASSERT_EQ(is_beginning && checker.is_whole(), is_valid) << testing::PrintToString(bytes);
  }
  utf8_checker by_bytes;
  for (const char& byte : bytes)
    by_bytes.feed({&byte, 1});
  ASSERT_EQ(by_bytes.feed({}), is_beginning) << testing::PrintToString(bytes);
}

/// Both ends of each range that the table of RFC 3629 tells apart, and their neighbours.
const std::string classes =
  "\x00\x01\x41\x7f\x80\x81\x8f\x90\x91\x9f\xa0\xa1\xbf\xc0\xc1\xc2\xc3\xdf"
  "\xe0\xe1\xec\xed\xee\xef\xf0\xf1\xf3\xf4\xf5\xf7\xf8\xfb\xfc\xfe\xff"s;

std::string encoded(char32_t point) {
  const auto byte = [](char32_t value) { return static_cast<char>(value); };
  const auto more = [&](unsigned shift) { return byte(0x80U | (point >> shift & 0x3FU)); };
  if (point < 0x80)
    return {byte(point)};
  if (point < 0x800)
    return {byte(0xC0U | point >> 6U), more(0)};
  if (point < 0x10000)
    return {byte(0xE0U | point >> 12U), more(6), more(0)};
  return {byte(0xF0U | point >> 18U), more(12), more(6), more(0)};
}

TEST(utf8, is_small) { EXPECT_EQ(sizeof(utf8_checker), 1U); }

TEST(utf8, nothing_is_text) {
  EXPECT_TRUE(is_utf8({}));
  utf8_checker checker;
  EXPECT_TRUE(checker.is_whole());
  EXPECT_TRUE(checker.feed({}));
  EXPECT_TRUE(checker.is_whole());
}

TEST(utf8, every_byte_and_every_pair_is_as_decoded) {
  for (int first = 0; first < 256; ++first) {
    expect_as_decoded({static_cast<char>(first)});
    for (int second = 0; second < 256; ++second)
      ASSERT_NO_FATAL_FAILURE(
        expect_as_decoded({static_cast<char>(first), static_cast<char>(second)}));
  }
}

TEST(utf8, every_class_of_three_bytes_is_as_decoded) {
  for (const char first : classes)
    for (const char second : classes)
      for (const char third : classes)
        ASSERT_NO_FATAL_FAILURE(expect_as_decoded({first, second, third}));
}

TEST(utf8, every_class_of_four_bytes_behind_a_long_lead_is_as_decoded) {
  for (const char first : "\xe0\xed\xef\xf0\xf1\xf3\xf4\xf5\xc2"s)
    for (const char second : classes)
      for (const char third : classes)
        for (const char fourth : "\x00\x7f\x80\xbf\xc0\xe0\xf0\xff"s)
          ASSERT_NO_FATAL_FAILURE(expect_as_decoded({first, second, third, fourth}));
}

TEST(utf8, every_code_point_is_text_but_surrogates) {
  for (char32_t point = 0; point < 0x120000; ++point) {
    const auto bytes = encoded(point);
    const bool is_valid = point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
    ASSERT_EQ(is_utf8(bytes), is_valid) << std::hex << static_cast<std::uint32_t>(point);
    if (bytes.size() > 1) {
      ASSERT_FALSE(is_utf8(std::string_view{bytes}.substr(1)));
      ASSERT_FALSE(is_utf8(std::string_view{bytes}.substr(0, bytes.size() - 1)));
    }
  }
}

TEST(utf8, overlong_forms_are_no_text) {
  for (const std::string_view bad :
       {"\xc0\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x80\xaf", "\xe0\x9f\xbf",
        "\xf0\x80\x80\x80", "\xf0\x80\x80\xaf", "\xf0\x8f\xbf\xbf", "\xf8\x88\x80\x80\x80",
        "\xfc\x84\x80\x80\x80\x80"})
    EXPECT_FALSE(is_utf8(bad)) << testing::PrintToString(bad);
}

TEST(utf8, a_bad_byte_is_found_at_any_place_and_alignment) {
  for (std::size_t size = 1; size < 70; ++size)
    for (std::size_t at = 0; at < size; ++at)
      for (const char bad : "\x80\xc0\xff\xc3"s) {
        std::string bytes(size, 'x');
        ASSERT_TRUE(is_utf8(bytes));
        bytes[at] = bad;
        ASSERT_FALSE(is_utf8(bytes)) << size << ' ' << at;
        utf8_checker checker;
        const bool may_go_on = bad == '\xc3' && at + 1 == size;
        ASSERT_EQ(checker.feed(bytes), may_go_on) << size << ' ' << at;
        ASSERT_FALSE(checker.is_whole());
      }
}

TEST(utf8, a_wrong_byte_is_remembered) {
  for (const std::string_view bad : {"\xff", "a\x80", "\xe0\x80", "\xc3z", "\xed\xa0"}) {
    utf8_checker checker;
    EXPECT_FALSE(checker.feed(bad));
    EXPECT_FALSE(checker.feed(std::string_view{}));
    EXPECT_FALSE(checker.feed(std::string_view{"fine"}));
    EXPECT_FALSE(
      checker.feed(std::string_view{"\u20ac and a long text behind it, all of it fine"}));
    EXPECT_FALSE(checker.is_whole());
  }
}

TEST(utf8, random_texts_and_random_bytes_are_as_decoded) {
  const auto seed = test::random_seed();
  dice random{seed};
  for (int round = 0; round < 3000; ++round) {
    std::string bytes;
    for (auto left = random.roll(0, 12); left > 0; --left) {
      if (random.one_in(12))
        bytes += random.bytes(1);
      else if (random.one_in(2))
        bytes.append(random.roll<std::size_t>(1, 20), 'x');
      else
        bytes += encoded(static_cast<char32_t>(
          random.roll<std::uint32_t>(0, random.one_in(2) ? 0x110000 : 0x900)));
    }
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", round " << round);
    ASSERT_NO_FATAL_FAILURE(expect_as_decoded(bytes));
  }
}

} // namespace
} // namespace canang::net
