#include "net/http/origin.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

namespace canang::net {
namespace {

origin_rules rules_of(std::initializer_list<std::string_view> items) {
  origin_rules rules;
  for (const auto item : items)
    EXPECT_TRUE(rules.add(item)) << item;
  return rules;
}

TEST(origin, is_by_default_that_of_the_host_asked_for) {
  const origin_rules rules;
  EXPECT_TRUE(rules.allows("http://localhost:8000", "localhost:8000"));
  EXPECT_TRUE(rules.allows("http://chat.example.org", "chat.example.org"));
  EXPECT_TRUE(rules.allows("http://chat.example.org", "chat.example.org:80"));
  EXPECT_TRUE(rules.allows("http://[::1]:8000", "[::1]:8000"));
  EXPECT_TRUE(rules.allows("http://CHAT.example.org", "chat.EXAMPLE.org"));
  for (const char* other :
       {"http://localhost:8001", "http://localhost", "http://127.0.0.1:8000", "null", "",
        "http://localhost:8000.evil.example", "http://evil.example/localhost:8000",
        "localhost:8000", "http://localhost:8000 http://evil.example", "http://x@localhost:8000"})
    EXPECT_FALSE(rules.allows(other, "localhost:8000")) << other;
  EXPECT_FALSE(rules.allows("http://", ""));
}

TEST(origin, is_of_the_same_host_also_where_tls_ends_in_front) {
  const origin_rules rules;
  EXPECT_TRUE(rules.allows("https://chat.example.org", "chat.example.org"));
  EXPECT_TRUE(rules.allows("https://chat.example.org", "chat.example.org:443"));
  EXPECT_FALSE(rules.allows("https://chat.example.org", "chat.example.org:80"));
  EXPECT_FALSE(rules.allows("https://chat.example.org:8443", "chat.example.org"));
}

TEST(origin, may_be_one_that_is_named_and_then_no_other) {
  const auto rules = rules_of({"https://chat.example.org", "http://localhost:3000"});
  EXPECT_TRUE(rules.allows("https://chat.example.org", "node-7:8000"));
  EXPECT_TRUE(rules.allows("https://chat.example.org:443", "node-7:8000"));
  EXPECT_TRUE(rules.allows("http://localhost:3000", "localhost:8000"));
  EXPECT_FALSE(rules.allows("http://chat.example.org", "node-7:8000")) << "another scheme";
  EXPECT_FALSE(rules.allows("https://chat.example.org:8443", "node-7:8000")) << "another port";
  EXPECT_FALSE(rules.allows("https://a.chat.example.org", "node-7:8000"));
  EXPECT_FALSE(rules.allows("http://node-7:8000", "node-7:8000")) << "the same host was not named";
}

TEST(origin, may_be_any_below_a_host) {
  const auto rules = rules_of({"https://*.example.org"});
  EXPECT_TRUE(rules.allows("https://a.example.org", "x"));
  EXPECT_TRUE(rules.allows("https://a.b.example.org", "x"));
  for (const char* other :
       {"https://example.org", "https://.example.org", "https://badexample.org",
        "https://a.example.org.evil.example", "http://a.example.org", "https://a.example.org:8443"})
    EXPECT_FALSE(rules.allows(other, "x")) << other;
}

TEST(origin, may_be_the_same_host_or_a_named_one) {
  const auto rules = rules_of({"same-host", "app://canang"});
  EXPECT_TRUE(rules.allows("http://node-7:8000", "node-7:8000"));
  EXPECT_TRUE(rules.allows("app://canang", "node-7:8000"));
  EXPECT_FALSE(rules.allows("http://node-8:8000", "node-7:8000"));
}

TEST(origin, may_be_null_or_anything) {
  EXPECT_TRUE(rules_of({"null"}).allows("null", "x"));
  EXPECT_FALSE(rules_of({"null"}).allows("http://x", "x"));
  for (const char* origin : {"http://anywhere", "null", "", "\xff garbage"})
    EXPECT_TRUE(rules_of({"*"}).allows(origin, "x")) << origin;
}

TEST(origin, is_refused_as_an_option_where_it_is_none) {
  origin_rules rules;
  for (const char* item :
       {"", "example.org", "https://", "https://example.org/", "https://example.org/path",
        "https://*", "https://a.*.org", "https://*example.org", "https://*.", "*.example.org",
        "https://example.org:x", "://example.org", "1http://example.org",
        "https://user@example.org"})
    EXPECT_FALSE(rules.add(item)) << item;
  EXPECT_TRUE(rules.allows("http://x", "x")) << "nothing was added";
}

} // namespace
} // namespace canang::net
