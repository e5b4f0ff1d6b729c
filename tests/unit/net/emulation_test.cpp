#include "net/emulation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <vector>

namespace canang::net {
namespace {

struct noting_session final : emulated_session {
  std::vector<std::string> heard;

  void take(std::string&& message, emulation_answer answer) override {
    heard.push_back(std::move(message));
    answer(emulation_outcome::taken);
  }
};

struct emulated_sessions_test : testing::Test {
  emulated_sessions all;
  noting_session one;
  noting_session other;

  emulation_outcome say(std::string_view secret, std::string message) {
    auto told = emulation_outcome::unavailable;
    all.take(secret, std::move(message), [&](emulation_outcome outcome) { told = outcome; });
    return told;
  }
};

TEST_F(emulated_sessions_test, gives_each_session_a_secret_of_128_bits_and_its_loop) {
  all.set_loop(12, {1, 2});
  std::set<std::string> secrets;
  std::set<char> first_digits;
  for (int i = 0; i < 1000; ++i) {
    const auto secret = all.add(one);
    EXPECT_LE(secret.size(), emulated_sessions::max_secret_size);
    EXPECT_TRUE(secret.ends_with("12"));
    EXPECT_TRUE(std::all_of(secret.begin(), secret.end(),
                            [](unsigned char c) { return std::isxdigit(c) != 0; }));
    EXPECT_EQ(loop_of_secret(secret), 12U);
    secrets.insert(secret);
    first_digits.insert(secret.front());
  }
  EXPECT_EQ(secrets.size(), 1000U);
  EXPECT_EQ(first_digits.size(), 16U);
}

TEST_F(emulated_sessions_test, makes_secrets_that_can_be_told_from_others) {
  const emulation_key key{0x0123456789ABCDEF, 7};
  all.set_loop(3, key);
  const auto secret = all.add(one);
  EXPECT_TRUE(is_secret_of(secret, key));
  EXPECT_FALSE(is_secret_of(secret, {key[0], 8}));
  EXPECT_FALSE(is_secret_of(secret.substr(0, 32) + "4", key)) << "of another loop";
  EXPECT_FALSE(is_secret_of(secret.substr(0, 32), key));
  EXPECT_FALSE(is_secret_of("", key));
  for (std::size_t i = 0; i < 32; ++i) {
    auto changed = secret;
    changed[i] = changed[i] == '0' ? '1' : '0';
    EXPECT_FALSE(is_secret_of(changed, key)) << i;
  }
}

TEST(emulation_key, is_told_as_text) {
  const emulation_key key{0x0123456789ABCDEF, 7};
  EXPECT_EQ(text_of(key), "0123456789abcdef0000000000000007");
  EXPECT_EQ(read_emulation_key(text_of(key)), key);
  EXPECT_EQ(read_emulation_key("0123456789abcdef000000000000000"), std::nullopt);
  EXPECT_EQ(read_emulation_key("0123456789abcdef000000000000000x"), std::nullopt);
}

TEST_F(emulated_sessions_test, hands_a_message_to_the_session_that_it_names_alone) {
  const auto secret = all.add(one);
  const auto another = all.add(other);
  EXPECT_EQ(say(secret, "a"), emulation_outcome::taken);
  EXPECT_EQ(say(another, "b"), emulation_outcome::taken);
  EXPECT_EQ(one.heard, std::vector<std::string>{"a"});
  EXPECT_EQ(other.heard, std::vector<std::string>{"b"});
}

TEST_F(emulated_sessions_test, knows_no_session_that_has_gone_or_never_was) {
  const auto secret = all.add(one);
  auto similar = secret;
  similar[5] = similar[5] == '0' ? '1' : '0';
  EXPECT_EQ(say(similar, "a"), emulation_outcome::unknown);
  EXPECT_EQ(say(secret.substr(0, secret.size() - 1), "a"), emulation_outcome::unknown);
  EXPECT_EQ(say("", "a"), emulation_outcome::unknown);
  all.remove(secret);
  EXPECT_EQ(say(secret, "a"), emulation_outcome::unknown);
  EXPECT_EQ(all.size(), 0U);
  EXPECT_TRUE(one.heard.empty());
}

TEST(emulation_secret, has_no_loop_where_it_cannot_be_one) {
  EXPECT_EQ(loop_of_secret("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0"), 0U);
  EXPECT_EQ(loop_of_secret("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa4294967295"), 4294967295U);
  for (const char* const wrong :
       {"", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-1",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa4294967296", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1x",
        "gggggggggggggggggggggggggggggggg0", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0"})
    EXPECT_EQ(loop_of_secret(wrong), std::nullopt) << wrong;
}

} // namespace
} // namespace canang::net
