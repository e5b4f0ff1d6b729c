#include "net/websocket/message_inflater.hpp"

#include "net/limits.hpp"
#include "tests/unit/support/deflated.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

// What clients have compressed, inflated (RFC 7692, 7.2.2 and 7.2.3).

namespace canang::net {
namespace {

using namespace std::string_literals;
using outcome = message_inflater::outcome;
using test::deflated;
using test::noise;
using test::some_json;

struct message_inflater_test : testing::Test {
  loop_metrics metrics;
  message_inflater inflater{metrics};

  message_inflater::message inflate(std::string_view packed, std::size_t max_bytes = 1 << 20,
                                    bool is_text = false) {
    // memory of its own size, so that a sanitizer sees a step too far
    const auto bytes = std::make_unique<char[]>(packed.size());
    packed.copy(bytes.get(), packed.size());
    return inflater.inflate({bytes.get(), packed.size()}, is_text, max_bytes);
  }

  void expect_says(std::string_view packed, std::string_view text) {
    const auto found = inflate(packed);
    EXPECT_EQ(found.what, outcome::whole);
    EXPECT_EQ((std::string_view{found.payload.data(), found.payload.size()}), text);
    EXPECT_EQ(found.made_bytes, text.size());
  }
};

TEST_F(message_inflater_test, rfc_7692_7_2_3_inflates_the_examples) {
  expect_says("\xf2\x48\xcd\xc9\xc9\x07\x00"s, "Hello");
  expect_says("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s, "Hello"); // stored (7.2.3.3)
  expect_says("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s, "Hello");             // BFINAL (7.2.3.4)
  expect_says("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s,
              "Hello"); // two blocks (7.2.3.5)
}

TEST_F(message_inflater_test, inflates_what_every_level_and_window_makes) {
  for (const auto& text :
       {""s, "x"s, some_json(1000), some_json(100'000), noise(5000), std::string(500'000, 'a')})
    for (const int window : {9, 12, 15})
      for (const int level : {0, 1, 6, 9})
        expect_says(deflated(text, window, level), text);
}

TEST_F(message_inflater_test, knows_nothing_of_the_message_before) {
  expect_says(deflated(some_json(2000)), some_json(2000));
  // "the 5 bytes that were 5 bytes before", of nothing
  EXPECT_EQ(inflate("\xf2\x00\x11\x00\x00"s).what, outcome::invalid);
  expect_says(deflated("after it"), "after it");
}

TEST_F(message_inflater_test, is_bounded_by_what_comes_out) {
  const auto bomb = deflated(std::string(100'000, '\0'));
  ASSERT_LT(bomb.size(), 200U);
  EXPECT_EQ(inflate(bomb, 100'000).what, outcome::whole);
  EXPECT_EQ(inflate(bomb, 99'999).what, outcome::too_big);
  for (const std::size_t limit : {1U, 100U, 16'384U, 65'536U}) {
    const auto found = inflate(bomb, limit);
    EXPECT_EQ(found.what, outcome::too_big);
    EXPECT_EQ(found.made_bytes, limit + 1) << "no more than tells that it is too much";
    EXPECT_TRUE(found.payload.empty());
  }
  EXPECT_EQ(inflate(deflated(std::string(65'536, 'a')), 65'536).what, outcome::whole);
  EXPECT_EQ(inflate(deflated(""), 0).what, outcome::whole);
  EXPECT_EQ(inflate(deflated("x"), 0).what, outcome::too_big);
}

TEST_F(message_inflater_test, a_bomb_of_megabytes_costs_the_limit) {
  const auto bomb = deflated(std::string(64U << 20U, '\0'));
  const auto found = inflate(bomb, 64 * 1024);
  EXPECT_EQ(found.what, outcome::too_big);
  EXPECT_EQ(found.made_bytes, 64U * 1024 + 1);
  EXPECT_EQ(metrics.inflated_to_bytes_total.value(), 64U * 1024 + 1);
}

/// Blocks of fixed codes alone (RFC 1951, 3.2.6), nine bits for each byte from 144 on: as the simplest encoders do it.
std::string in_fixed_codes(std::string_view text) {
  std::string out;
  unsigned held = 0;
  unsigned count = 0;
  const auto put = [&](unsigned bits, unsigned how_many, bool is_code) {
    for (unsigned i = 0; i < how_many; ++i) {
      held |= (bits >> (is_code ? how_many - 1 - i : i) & 1U) << count;
      if (++count == 8)
        out += static_cast<char>(std::exchange(held, count = 0));
    }
  };
  put(0b010, 3, false);
  for (const auto c : text)
    put(0b110010000U + static_cast<unsigned char>(c) - 144, 9, true);
  put(0, 7, true);
  put(0, 3, false);
  if (count > 0)
    out += static_cast<char>(held);
  return out;
}

TEST_F(message_inflater_test, takes_what_the_simplest_encoder_makes) {
  const std::string text(60'000, '\xfe');
  const auto packed = in_fixed_codes(text);
  ASSERT_GT(packed.size(), text.size() + text.size() / 9);
  expect_says(packed, text);
}

TEST_F(message_inflater_test, gives_up_soon_where_nothing_comes_of_much) {
  std::string heads;
  while (heads.size() < 1'000'000)
    heads += "\x04\x80\x00\x00\x00\x00\x00\x10"s; // of which each costs its tables
  std::string empty;
  while (empty.size() < 1'000'000)
    empty += "\x00\x00\x00\xff\xff"s; // stored, and of no bytes
  for (const auto& packed : {heads, empty, deflated(some_json(2000)) + empty}) {
    const auto before = metrics.inflated_to_bytes_total.value();
    EXPECT_NE(inflate(packed).what, outcome::whole);
    EXPECT_LE(metrics.inflated_to_bytes_total.value() - before, 2000U);
  }
  EXPECT_EQ(inflate(empty).what, outcome::too_big);
  EXPECT_EQ(inflate(empty.substr(0, 500) + "\x00"s).what, outcome::whole) << "a few are no harm";
}

TEST_F(message_inflater_test, refuses_what_is_cut_short) {
  for (const auto& text : {some_json(700), noise(300), "Hello"s}) {
    const auto packed = deflated(text);
    for (std::size_t size = 1; size < packed.size(); ++size) {
      const auto found = inflate(packed.substr(0, size));
      const auto expected = test::inflated(packed.substr(0, size));
      // where the end of a block and the one that goes without saying can be seen in it, it is one
      if (found.what == outcome::whole)
        EXPECT_TRUE(expected) << size;
      else
        EXPECT_EQ(found.what, outcome::invalid) << size;
    }
    EXPECT_EQ(inflate(packed.substr(0, packed.size() / 2)).what, outcome::invalid);
  }
}

TEST_F(message_inflater_test, refuses_what_is_no_deflate_data) {
  EXPECT_EQ(inflate("\xff"s).what, outcome::invalid);
  EXPECT_EQ(inflate("not deflate data"s).what, outcome::invalid);
  EXPECT_EQ(inflate("\x06"s).what, outcome::invalid) << "blocks of type 3";
  const auto good = deflated(some_json(300));
  EXPECT_EQ(inflate(good + "\xff\xff").what, outcome::invalid) << "behind what is right";
  expect_says(good, some_json(300));
}

TEST_F(message_inflater_test, rfc_7692_7_2_3_4_takes_a_last_block_and_what_follows_it) {
  const auto last = "\xf3\x48\xcd\xc9\xc9\x07\0"s; // "Hello", BFINAL
  expect_says(last + "\0"s, "Hello");
  expect_says(last, "Hello");
  expect_says(last + deflated(", again"), "Hello, again");
  expect_says(last + last + "\0"s, "HelloHello");
  EXPECT_EQ(inflate(last + "\xff").what, outcome::invalid);
}

TEST_F(message_inflater_test, rfc_7692_7_2_3_6_takes_an_empty_message) {
  expect_says("\0"s, "");
  expect_says("", "");
}

TEST_F(message_inflater_test, rfc_6455_8_1_stops_at_the_first_byte_that_is_no_text) {
  const auto text = "caf\xc3\xa9"s;
  EXPECT_EQ(inflate(deflated(text), 100, true).what, outcome::whole);
  EXPECT_EQ(inflate(deflated(text.substr(0, 4)), 100, true).what, outcome::not_utf8);
  EXPECT_EQ(inflate(deflated("\xff"), 100, true).what, outcome::not_utf8);
  EXPECT_EQ(inflate(deflated("\xff"), 100, false).what, outcome::whole);
  const auto found = inflate(deflated("\xff" + std::string(1'000'000, 'a')), 2'000'000, true);
  EXPECT_EQ(found.what, outcome::not_utf8);
  EXPECT_LT(found.made_bytes, 20'000U) << "not at the end of it";
}

TEST_F(message_inflater_test, a_character_may_lie_across_what_is_looked_at_at_once) {
  std::string text;
  while (text.size() < 200'000)
    text += "\xe2\x82\xac";
  EXPECT_EQ(inflate(deflated(text), 1 << 20, true).what, outcome::whole);
}

TEST_F(message_inflater_test, counts_what_came_and_what_it_became) {
  const auto packed = deflated(some_json(3000));
  (void)inflate(packed);
  (void)inflate(packed);
  EXPECT_EQ(metrics.inflated_from_bytes_total.value(), 2 * packed.size());
  EXPECT_EQ(metrics.inflated_to_bytes_total.value(), 6000U);
}

} // namespace
} // namespace canang::net
