#include "app/units.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace canang::app {
namespace {

std::string read(std::string_view text) {
  const auto endpoint = parse_address(text);
  std::ostringstream shown;
  if (endpoint)
    shown << *endpoint;
  return shown.str();
}

TEST(address, is_host_and_port) {
  EXPECT_EQ(read("127.0.0.1:8000"), "127.0.0.1:8000");
  EXPECT_EQ(read("0.0.0.0:0"), "0.0.0.0:0");
  EXPECT_EQ(read("10.1.2.3:65535"), "10.1.2.3:65535");
}

TEST(address, is_every_ipv4_address_when_only_a_port_is_given) {
  EXPECT_EQ(read(":8000"), "0.0.0.0:8000");
}

TEST(address, has_brackets_around_an_ipv6_host) {
  EXPECT_EQ(read("[::]:8000"), "[::]:8000");
  EXPECT_EQ(read("[::1]:1"), "[::1]:1");
  EXPECT_EQ(read("[2001:db8::1]:443"), "[2001:db8::1]:443");
}

TEST(address, is_refused_when_wrong) {
  for (const char* text : {"",
                           ":",
                           "8000",
                           "127.0.0.1",
                           "127.0.0.1:",
                           "127.0.0.1:x",
                           "127.0.0.1:1x",
                           "127.0.0.1:-1",
                           "127.0.0.1:+1",
                           "127.0.0.1:65536",
                           "127.0.0.1: 1",
                           "127.0.0.1:99999999999999999999",
                           "256.0.0.1:1",
                           "1.2.3:1",
                           "localhost:1",
                           "::1:8000",
                           "[::1]",
                           "[::1:8000",
                           "::1]:8000",
                           "[]:8000",
                           "[127.0.0.1]:1",
                           "[::g]:1",
                           " 127.0.0.1:1"})
    EXPECT_EQ(parse_address(text), std::nullopt) << text;
}

} // namespace
} // namespace canang::app
