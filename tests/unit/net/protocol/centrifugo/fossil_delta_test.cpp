#include "net/protocol/centrifugo/fossil_delta.hpp"

#include "net/utf8.hpp"
#include "tests/support/fossil_apply.hpp"
#include "tests/unit/support/seed.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace canang::net::centrifugo {
namespace {

using test::apply_fossil_delta;
using test::dice;

/// The delta, which has been applied; empty where there is none.
std::string delta_of(const std::string& source, const std::string& target,
                     delta_cuts cuts = delta_cuts::anywhere) {
  std::string out = "before";
  if (!append_fossil_delta(out, source, target, cuts)) {
    EXPECT_EQ(out, "before");
    return {};
  }
  EXPECT_TRUE(out.starts_with("before"));
  out.erase(0, 6);
  EXPECT_LT(out.size(), target.size());
  const auto made = apply_fossil_delta(source, out);
  EXPECT_TRUE(made) << out;
  EXPECT_EQ(made.value_or(""), target);
  return out;
}

TEST(fossil_delta, is_as_the_format_has_it) {
  const std::string source = "{\"price\":100,\"name\":\"a long enough name of something\"}";
  const std::string target = "{\"price\":7777,\"name\":\"a long enough name of something\"}";
  EXPECT_EQ(delta_of(source, target), "s\nD:{\"price\":7777f@C,3HW679;");
  EXPECT_EQ(delta_of(source, source), "r\nr@0,3Y30Sx;");
}

TEST(fossil_delta, is_none_where_it_would_not_be_shorter) {
  EXPECT_EQ(delta_of("", ""), "");
  EXPECT_EQ(delta_of("", "something"), "");
  EXPECT_EQ(delta_of("something", ""), "");
  EXPECT_EQ(delta_of("short", "short"), "");
  EXPECT_EQ(delta_of(std::string(100, 'a'), std::string(100, 'b')), "");
}

TEST(fossil_delta, finds_what_has_moved) {
  dice random{7};
  const auto a = random.bytes(500);
  const auto b = random.bytes(700);
  EXPECT_LT(delta_of(a + b, b + a).size(), 40U);
  EXPECT_LT(delta_of(a + b, a + "new" + b).size(), 40U);
  EXPECT_LT(delta_of(a + "old" + b, a + b).size(), 40U);
  EXPECT_LT(delta_of(a, a + a + a).size(), 40U);
}

/// Replaces, removes and adds parts.
std::string edited(std::string text, dice& random, const std::vector<std::string>& letters) {
  for (int edits = random.roll(0, 6); edits > 0; --edits) {
    const auto at = random.roll<std::size_t>(0, text.size());
    std::string part;
    for (int i = random.roll(0, 30); i > 0; --i)
      part += letters[random.roll<std::size_t>(0, letters.size() - 1)];
    if (random.one_in(4))
      part = text.substr(random.roll<std::size_t>(0, text.size()), 200);
    text.replace(at, random.roll<std::size_t>(0, 40), part);
  }
  return text;
}

TEST(fossil_delta, makes_any_text_of_any_other) {
  const auto seed = test::random_seed();
  dice random{seed};
  std::size_t made = 0;
  for (int round = 0; round < 20'000 && !testing::Test::HasFailure(); ++round) {
    std::vector<std::string> letters;
    for (int i = random.roll(1, 40); i > 0; --i) // few ones make texts that repeat themselves
      letters.push_back(random.bytes(1));
    std::string source;
    for (int i = random.roll(0, random.one_in(20) ? 5000 : 300); i > 0; --i)
      source += letters[random.roll<std::size_t>(0, letters.size() - 1)];
    made += !delta_of(source, edited(source, random, letters)).empty();
  }
  EXPECT_GT(made, 5'000U);
}

/// The same of texts in UTF-8, as lists of characters.
TEST(fossil_delta, of_text_is_text) {
  const auto seed = test::random_seed();
  dice random{seed};
  const std::vector<std::string> letters{"a",
                                         "\xc3\xa9",
                                         "\xc3\xa8",
                                         "\xe9\x91\xbc",
                                         "\xe9\x91\xbd",
                                         "\xf0\x9f\xa5\x81",
                                         "\xf0\x9f\xa5\x82",
                                         "\xf0\x9f\x95\x81"};
  const auto joined = [](const std::vector<std::string>& parts) {
    std::string text;
    for (const auto& part : parts)
      text += part;
    return text;
  };
  std::size_t made = 0;
  for (int round = 0; round < 10'000 && !testing::Test::HasFailure(); ++round) {
    std::vector<std::string> source;
    for (int i = random.roll(10, 200); i > 0; --i)
      source.push_back(letters[random.roll<std::size_t>(0, letters.size() - 1)]);
    auto target = source;
    for (int i = random.roll(1, 4); i > 0; --i)
      target[random.roll<std::size_t>(0, target.size() - 1)] =
        letters[random.roll<std::size_t>(0, letters.size() - 1)];
    const auto delta = delta_of(joined(source), joined(target), delta_cuts::between_characters);
    EXPECT_TRUE(is_utf8(delta)) << delta;
    made += !delta.empty();
  }
  EXPECT_GT(made, 5'000U);
}

TEST(fossil_delta, is_none_of_bytes_that_should_be_text) {
  const std::string bytes(100, '\x80');
  EXPECT_EQ(delta_of(bytes, bytes, delta_cuts::between_characters), "");
  EXPECT_NE(delta_of(bytes, bytes), "");
}

/// A search that grew with the square of these would take a quarter of an hour.
TEST(fossil_delta, takes_time_in_proportion_whatever_it_is_given) {
  constexpr std::size_t size = 1U << 20U;
  const std::string same(size, 'x');
  std::string changed;
  std::string shifted;
  std::string blocks;
  for (std::size_t i = 0; changed.size() < size; ++i) {
    changed += std::string(17, 'x') + static_cast<char>('a' + i % 20);
    shifted += std::string(15 + i % 3, 'x') + 'y';
    blocks += std::string(16, 'x') + std::to_string(i) + std::string(16, 'x');
  }
  const std::vector<std::string> all{same, changed, shifted, blocks, std::string(size, '\x80')};
  const auto began = std::chrono::steady_clock::now();
  for (const auto& source : all)
    for (const auto& target : all)
      for (const auto cuts : {delta_cuts::anywhere, delta_cuts::between_characters})
        (void)delta_of(source, target, cuts);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{60});
}

/// Blocks that are all different and have one hash, which has no key: there are as many as somebody likes.
std::string colliding_blocks(std::size_t size, std::uint64_t first) {
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15U; // as in the encoder
  std::string text;
  for (auto word = first; text.size() < size; ++word) {
    const std::uint64_t block[]{word, std::rotr(word * odd ^ 42U, 29)};
    text.append(reinterpret_cast<const char*>(block), sizeof block);
  }
  return text;
}

/// What somebody may choose makes a delta longer, and takes no time.
TEST(fossil_delta, takes_no_more_time_where_all_hashes_collide) {
  constexpr std::size_t size = 1U << 20U;
  const auto source = colliding_blocks(size, 1);
  const auto target = colliding_blocks(size, 1U << 30U);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(delta_of(source, target), "") << "there is nothing in common";
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{5});
}

} // namespace
} // namespace canang::net::centrifugo
