#include "net/auth/base64url.hpp"

#include <gtest/gtest.h>

#include <random>

namespace canang::net {
namespace {

std::string encoded(std::string_view bytes) {
  std::string text;
  append_base64url(text, bytes);
  return text;
}

TEST(base64url, is_that_of_rfc_7515_appendix_c) {
  const std::string bytes{'\x03', '\xec', '\xff', '\xe0', '\xc1'};
  EXPECT_EQ(encoded(bytes), "A-z_4ME");
  EXPECT_EQ(decode_base64url("A-z_4ME"), bytes);
}

TEST(base64url, comes_back_whatever_the_length) {
  std::minstd_rand random{7};
  std::string bytes;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(decode_base64url(encoded(bytes)), bytes) << i;
    bytes += static_cast<char>(random());
  }
}

TEST(base64url, is_refused_where_no_encoder_writes_it_so) {
  for (const std::string_view text : {"A-z_4ME=", "A-z_4M=", "A-z_ 4ME", "A-z_4ME\n", "\nA-z_4ME",
                                      "A+z/4ME", "A", "AAAAA", "A-z_4MF", "AB", "AAB", "AA=="})
    EXPECT_EQ(decode_base64url(text), std::nullopt) << text;
  EXPECT_EQ(decode_base64url(std::string_view{"AA\0A", 4}), std::nullopt);
  EXPECT_EQ(decode_base64url("\xff\xff\xff\xff"), std::nullopt);
}

} // namespace
} // namespace canang::net
