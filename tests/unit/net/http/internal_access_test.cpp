#include "net/http/internal_access.hpp"

#include "net/auth/secret.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

const std::string key = "0123456789abcdef";

/// A request with what it has to say of itself.
struct asking {
  asking(std::string_view path, std::string_view host = "127.0.0.1:9000",
         std::string_view authorization = {})
    : view{.header = header, .path = path, .host = host} {
    header.method(http_method::get);
    if (!authorization.empty())
      header.set(boost::beast::http::field::authorization, authorization);
  }
  asking(const asking&) = delete;
  asking& operator=(const asking&) = delete;

  http_request_header header;
  http_request view;
};

std::optional<page_response> refusal(const internal_access& access, const asking& request) {
  return access.refusal(request.view);
}

unsigned status(const internal_access& access, const asking& request) {
  const auto wrong = refusal(access, request);
  return wrong ? wrong->status : 200;
}

TEST(internal_access, lets_no_web_page_change_anything) {
  for (const char* name : {"Origin", "Sec-Fetch-Site"}) {
    asking request{"/drain", "localhost", "Bearer " + key};
    request.header.set(name, "same-origin");
    for (const auto& given : {std::string{}, key}) {
      const internal_access access{{given}, true};
      request.header.method(http_method::post);
      EXPECT_EQ(status(access, request), 403U) << name;
      request.header.method(http_method::get);
      EXPECT_EQ(status(access, request), 200U) << name;
    }
  }
}

TEST(internal_access, asks_for_the_key_where_there_is_one) {
  for (const bool is_loopback : {true, false}) {
    const internal_access access{{key}, is_loopback};
    for (const char* path : {"/nodes", "/rooms/a", "/drain", "/", "/healthz/", "/metricsx"}) {
      EXPECT_EQ(status(access, asking(path)), 401U) << path;
      EXPECT_EQ(status(access, asking(path, "any.example", "Bearer " + key)), 200U) << path;
    }
    EXPECT_EQ(status(access, asking("/nodes", "x", "bearer   " + key)), 200U);
    for (const std::string& wrong :
         {std::string{"Bearer"}, std::string{"Bearer "}, "Basic " + key, key, "Bearer" + key,
          "Bearer " + key.substr(1), "Bearer " + key + "0", "Bearer " + key + key,
          std::string{"Bearer 0123456789abcdeF"}})
      EXPECT_EQ(status(access, asking("/nodes", "x", wrong)), 401U) << wrong;
  }
  const auto wrong = refusal(internal_access{{key}, true}, asking("/nodes"));
  ASSERT_EQ(wrong->headers.size(), 1U);
  EXPECT_EQ(wrong->headers[0].first, "WWW-Authenticate");
}

TEST(internal_access, gives_nothing_else_beyond_loopback_without_a_key) {
  const internal_access access{{}, false};
  EXPECT_EQ(status(access, asking("/nodes")), 403U);
  EXPECT_EQ(status(access, asking("/drain", "localhost")), 403U);
}

TEST(internal_access, wants_an_address_or_a_known_host_on_loopback) {
  const internal_access access{{}, true};
  for (const char* host :
       {"127.0.0.1:9000", "[::1]:9000", "localhost", "LOCALHOST:9000", "10.0.0.1", ""})
    EXPECT_EQ(status(access, asking("/nodes", host)), 200U) << host;
  for (const char* host : {"evil.example", "evil.example:9000", "localhost.evil.example", "a b"})
    EXPECT_EQ(status(access, asking("/nodes", host)), 403U) << host;
  const internal_access named{{{}, {"ops.example"}}, true};
  EXPECT_EQ(status(named, asking("/nodes", "Ops.Example:9000")), 200U);
  EXPECT_EQ(status(named, asking("/nodes", "localhost")), 403U);
}

TEST(internal_access, takes_keys_of_16_to_256_visible_characters) {
  EXPECT_TRUE(is_key(key));
  EXPECT_TRUE(is_key(std::string(256, '~')));
  EXPECT_FALSE(is_key(key.substr(1)));
  EXPECT_FALSE(is_key(std::string(257, 'x')));
  for (const char* bad : {" ", "\n", "\x7f", "\xc3\xa9"})
    EXPECT_FALSE(is_key(key + bad));
}

} // namespace
} // namespace canang::net
