#include "net/base64.hpp"

#include "net/json.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>

namespace canang::net {
namespace {

TEST(base64, what_is_encoded_comes_back) {
  std::string bytes;
  for (std::size_t i = 0; i < 300; ++i) {
    std::string text;
    append_base64(text, bytes);
    EXPECT_EQ(decode_base64(text), bytes) << i;
    bytes += static_cast<char>(i * 37);
  }
}

TEST(base64, what_no_encoder_writes_is_refused) {
  for (const std::string text :
       {"a", "ab", "abc", "=", "====", "a===", "ab=c", "=abc", "abc=abcd", "ab==abcd", "aGk",
        "aGl=", "aR==", "aGk=\n", "aG k", "aG-_", "aGk\xff"})
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  EXPECT_EQ(decode_base64(""), "");
}

} // namespace
} // namespace canang::net
