#include "app/jwks_url.hpp"

#include <gtest/gtest.h>

namespace canang::app {
namespace {

jwks_url read(std::string_view text) {
  auto url = parse_jwks_url(text);
  EXPECT_TRUE(std::holds_alternative<jwks_url>(url)) << text;
  return std::holds_alternative<jwks_url>(url) ? std::get<jwks_url>(url) : jwks_url{};
}

TEST(jwks_url, is_split_into_what_a_request_needs) {
  const auto url = read("https://keys.example.org/jwks.json?key=secret");
  EXPECT_TRUE(url.uses_tls && url.is_safe);
  EXPECT_EQ(url.host, "keys.example.org");
  EXPECT_EQ(url.port, "443");
  EXPECT_EQ(url.target, "/jwks.json?key=secret");
  EXPECT_EQ(url.shown, "https://keys.example.org/jwks.json");
  EXPECT_EQ(read("https://keys.example.org").target, "/");
  EXPECT_EQ(read("https://keys.example.org?a").target, "/?a");
  EXPECT_EQ(read("https://[::1]:8443/a").host, "::1");
  EXPECT_EQ(read("https://[::1]:8443/a").port, "8443");
}

TEST(jwks_url, is_safe_with_tls_or_on_this_machine) {
  EXPECT_FALSE(read("http://keys.example.org/").is_safe);
  EXPECT_FALSE(read("http://10.0.0.1/").is_safe);
  EXPECT_FALSE(read("http://localhost.example.org/").is_safe);
  EXPECT_TRUE(read("http://localhost:8080/").is_safe);
  EXPECT_TRUE(read("http://127.0.0.2/").is_safe);
  EXPECT_TRUE(read("http://[::1]/").is_safe);
  EXPECT_EQ(read("http://localhost/").port, "80");
}

TEST(jwks_url, is_refused_without_showing_it) {
  for (const std::string_view text :
       {"ftp://secret/", "https:///secret", "https://ann:secret@example.org/",
        "https://example.org/#secret", "https://example.org/ secret", "://secret",
        "https://example.org:0/secret", "https://example.org:65536/secret",
        "https://example.org:99999999999/secret", "https://h%0d%0asecret/",
        "https://a%20secret/"}) {
    const auto url = parse_jwks_url(text);
    ASSERT_TRUE(std::holds_alternative<std::string>(url)) << text;
    EXPECT_EQ(std::get<std::string>(url).find("secret"), std::string::npos);
  }
  EXPECT_TRUE(std::holds_alternative<std::string>(
    parse_jwks_url("https://example.org/" + std::string(3000, 'a'))));
}

TEST(jwks_url, is_told_from_a_file) {
  EXPECT_TRUE(looks_like_url("https://example.org"));
  EXPECT_TRUE(looks_like_url("ftp://example.org"));
  EXPECT_FALSE(looks_like_url("/etc/canang/jwks.json"));
  EXPECT_FALSE(looks_like_url("jwks.json"));
}

} // namespace
} // namespace canang::app
