#include "net/address_ranges.hpp"

#include <gtest/gtest.h>

#include <string>

namespace canang::net {
namespace {

bool contains(const std::string& range, const std::string& address) {
  address_ranges ranges;
  EXPECT_TRUE(ranges.add(range)) << range;
  return ranges.contain(boost::asio::ip::make_address(address));
}

TEST(address_ranges, contain_what_shares_their_prefix) {
  EXPECT_TRUE(contains("192.0.2.0/24", "192.0.2.255"));
  EXPECT_FALSE(contains("192.0.2.0/24", "192.0.3.0"));
  EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.128"));
  EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(contains("192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(contains("192.0.2.7", "192.0.2.6"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(contains("::1", "::1"));
}

TEST(address_ranges, of_ipv4_contain_the_same_address_as_ipv6_and_no_other) {
  EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_FALSE(contains("10.0.0.0/8", "::a01:203"));
  EXPECT_TRUE(contains("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(contains("::/0", "203.0.113.9"));
}

TEST(address_ranges, refuse_what_is_none) {
  for (const std::string text :
       {"", "/", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.1/8", "2001:db8::1/64", "10.0.0/8",
        "10.0.0.0/-1", "10.0.0.0/8/8", "localhost", "fe80::1%eth0", " 10.0.0.0/8", "Unix"}) {
    address_ranges ranges;
    EXPECT_FALSE(ranges.add(text)) << text;
    EXPECT_TRUE(ranges.empty()) << text;
  }
}

TEST(address_ranges, name_unix_domain_sockets_apart) {
  address_ranges ranges;
  EXPECT_FALSE(ranges.contain_unix());
  ASSERT_TRUE(ranges.add("unix"));
  EXPECT_TRUE(ranges.contain_unix());
  EXPECT_FALSE(ranges.empty());
  EXPECT_FALSE(ranges.contain(boost::asio::ip::address_v4::loopback()));
}

} // namespace
} // namespace canang::net
