#include "net/http/authority.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

TEST(authority, is_a_host_with_or_without_a_port) {
  const auto check = [](std::string_view text, std::string_view host,
                        std::optional<std::uint16_t> port) {
    const auto found = parse_authority(text);
    ASSERT_TRUE(found) << text;
    EXPECT_EQ(found->host, host) << text;
    EXPECT_EQ(found->port, port) << text;
  };
  check("example.org", "example.org", {});
  check("example.org:8000", "example.org", 8000);
  check("example.org:", "example.org", {});
  check("10.0.0.1:65535", "10.0.0.1", 65535);
  check("[::1]", "[::1]", {});
  check("[2001:db8::1.2.3.4]:80", "[2001:db8::1.2.3.4]", 80);
  check("a_b-c~.x%C3%A9", "a_b-c~.x%C3%A9", {});
  check("", "", {});
  check(":80", "", 80);
}

TEST(authority, is_refused_where_readers_of_it_could_disagree) {
  for (const char* text :
       {"a b",        "a\tb",    "a/b",     "a?b",    "a#b",     "user@host", "a,b",
        "a:b",        "a:80:80", "a:65536", "a:-1",   "a:+1",    "a:1 ",      "::1",
        "[::1",       "::1]",    "[]",      "[::1]x", "[::1]:x", "[g::1]",    "[:22]",
        "[::1%25lo]", "a%",      "a%4",     "a%4g",   "a\\b",    "\xc3\xa9",  "a\x7f"})
    EXPECT_EQ(text == std::string_view{"a,b"}, parse_authority(text).has_value()) << text;
}

TEST(authority, tells_addresses_from_names) {
  for (const char* host : {"127.0.0.1", "10.1.2.3", "[::1]", "[2001:db8::1]"})
    EXPECT_TRUE(is_ip_address(host)) << host;
  for (const char* host :
       {"localhost", "127.0.0.1.example.org", "1.2.3", "127.1", "0x7f.0.0.1", ""})
    EXPECT_FALSE(is_ip_address(host)) << host;
}

TEST(authority, knows_the_ports_of_schemes) {
  EXPECT_EQ(default_port("http"), 80);
  EXPECT_EQ(default_port("ws"), 80);
  EXPECT_EQ(default_port("https"), 443);
  EXPECT_EQ(default_port("wss"), 443);
  EXPECT_EQ(default_port("gopher"), 0);
}

} // namespace
} // namespace canang::net
