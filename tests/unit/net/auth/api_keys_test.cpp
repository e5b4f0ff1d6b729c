#include "net/auth/api_keys.hpp"

#include "net/auth/secret.hpp"

#include <gtest/gtest.h>

#include <string>

namespace canang::net {
namespace {

const std::string old_key = "correct-horse-battery";
const std::string new_key = "staple-horse-battery!";

TEST(api_keys_test, several_count_at_once_until_they_are_replaced) {
  api_keys keys{{old_key, new_key}};
  EXPECT_FALSE(keys.is_empty());
  EXPECT_TRUE(keys.allow(old_key));
  EXPECT_TRUE(keys.allow(new_key));
  keys.set({new_key});
  EXPECT_FALSE(keys.allow(old_key));
  EXPECT_TRUE(keys.allow(new_key));
}

TEST(api_keys_test, nothing_but_a_whole_key_is_one) {
  const api_keys keys{{old_key, new_key}};
  for (const auto& wrong : {std::string{}, old_key.substr(1), old_key.substr(0, 16), old_key + 'x',
                            old_key + old_key, old_key + new_key, std::string(1000, 'c')})
    EXPECT_FALSE(keys.allow(wrong)) << wrong;
}

TEST(api_keys_test, without_any_nothing_is_a_key) {
  const api_keys keys{{}};
  EXPECT_TRUE(keys.is_empty());
  EXPECT_FALSE(keys.allow(""));
  EXPECT_FALSE(keys.allow(old_key));
}

TEST(secret_test, is_the_same_when_every_byte_is) {
  EXPECT_TRUE(is_same_secret("", ""));
  EXPECT_FALSE(is_same_secret("x", ""));
  EXPECT_FALSE(is_same_secret("", "x"));
  EXPECT_TRUE(is_same_secret("abc", "abc"));
  EXPECT_FALSE(is_same_secret("abd", "abc"));
  EXPECT_FALSE(is_same_secret("xbc", "abc"));
  EXPECT_FALSE(is_same_secret("abcabc", "abc"));
  EXPECT_FALSE(is_same_secret("ab", "abc"));
}

} // namespace
} // namespace canang::net
