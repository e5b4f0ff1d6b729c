#include "net/http/request_checks.hpp"
#include "net/websocket/handshake.hpp"
#include "tests/unit/support/loopback.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using boost::beast::http::field;

unsigned status(const std::optional<rejection>& wrong) {
  return wrong ? wrong->response.status : 0;
}

/// What is wrong with the usual handshake, changed in one respect.
template <class Change>
std::optional<rejection> after(Change change) {
  auto request = test::handshake();
  change(request);
  if (auto wrong = check_request(request))
    return wrong;
  return check_handshake(request);
}

void expect_told(const std::optional<rejection>& wrong, unsigned wanted, std::string_view text) {
  ASSERT_EQ(status(wrong), wanted) << text;
  EXPECT_NE(wrong->response.body.find(text), std::string::npos) << wrong->response.body;
}

TEST(http_handshake, may_have_its_lists_in_several_lines) {
  EXPECT_EQ(status(after([](auto&) {})), 0U);
  EXPECT_EQ(status(after([](auto& request) {
              request.set(field::connection, "keep-alive");
              request.insert(field::connection, "Upgrade");
              request.set(field::upgrade, "h2c");
              request.insert(field::upgrade, "WebSocket");
            })),
            0U);
}

TEST(http_handshake, has_one_host_one_key_and_one_version) {
  for (const auto name : {field::host, field::sec_websocket_key, field::sec_websocket_version,
                          field::origin, field::content_length})
    expect_told(after([&](auto& request) {
                  request.set(name, "0");
                  request.insert(name, "0");
                }),
                400, std::string{to_string(name)} + " may stand in a request once only");
  expect_told(after([](auto& request) { request.erase(field::host); }), 400, "Host is missing");
  for (const char* host : {"a b", "http://x", "x/", "x:y", "x@y"})
    expect_told(after([&](auto& request) { request.set(field::host, host); }), 400, "Host is not");
  EXPECT_EQ(status(after([](auto& request) { request.set(field::host, ""); })), 0U);
}

TEST(http_handshake, is_told_what_a_proxy_in_front_took_away) {
  expect_told(after([](auto& request) { request.erase(field::upgrade); }), 426,
              "a proxy in front removed the Upgrade header");
  expect_told(after([](auto& request) { request.set(field::connection, "close"); }), 426,
              "the Connection header does not name Upgrade: a proxy in front");
  expect_told(after([](auto& request) { request.version(10); }), 400,
              "a proxy in front speaks HTTP/1.0 to this server");
  expect_told(after([](auto& request) { request.set(field::upgrade, "h2c"); }), 426,
              "the Upgrade header does not name websocket");
}

TEST(http_handshake, blames_no_proxy_where_no_websocket_client_asked) {
  const auto plain = [](auto change) {
    return after([&](auto& request) {
      request.erase(field::sec_websocket_key);
      request.erase(field::sec_websocket_version);
      change(request);
    });
  };
  for (const auto& wrong : {plain([](auto& request) { request.erase(field::upgrade); }),
                            plain([](auto& request) { request.version(10); }),
                            plain([](auto& request) { request.erase(field::connection); })}) {
    ASSERT_NE(status(wrong), 0U);
    EXPECT_EQ(wrong->response.body.find("proxy"), std::string::npos) << wrong->response.body;
  }
}

} // namespace
} // namespace canang::net
