#include "net/json.hpp"

#include <gtest/gtest.h>

#include <string>

namespace canang::net {
namespace {

TEST(json, knows_how_long_a_string_will_be) {
  std::string all;
  for (int c = 0; c < 0x80; ++c)
    all += static_cast<char>(c);
  for (const auto& text : {std::string{}, std::string{"plain"}, all, std::string{"\xc3\xa4\\"}})
    EXPECT_EQ(json_string_size(text), json_string(text).size()) << text;
  for (const char c : all)
    EXPECT_EQ(json_string_size({&c, 1}), json_string({&c, 1}).size()) << static_cast<int>(c);
}

} // namespace
} // namespace canang::net
