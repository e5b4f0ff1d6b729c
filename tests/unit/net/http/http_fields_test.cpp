#include "net/http/fields.hpp"
#include "net/websocket/subprotocol.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace canang::net {
namespace {

using boost::beast::http::field;
using views = std::vector<std::string_view>;

http_request_header with(field name, std::initializer_list<std::string_view> lines) {
  http_request_header request;
  for (const auto line : lines)
    request.insert(name, line);
  return request;
}

TEST(http_fields, lists_are_joined_over_their_lines) {
  const auto request = with(field::connection, {"keep-alive ,\t x", "", " ,, ", "Upgrade"});
  EXPECT_EQ(list_items(request, field::connection), (views{"keep-alive", "x", "Upgrade"}));
  EXPECT_TRUE(has_item(request, field::connection, "upgrade"));
  EXPECT_TRUE(has_item(request, field::connection, "KEEP-ALIVE"));
  EXPECT_FALSE(has_item(request, field::connection, "keep"));
  EXPECT_FALSE(has_item(request, field::upgrade, "upgrade"));
  EXPECT_EQ(all_lines(with(field::if_none_match, {"\"a\"", "\"b\""}), field::if_none_match),
            "\"a\", \"b\"");
}

TEST(http_fields, some_may_stand_once_only) {
  for (const auto name : {field::host, field::origin, field::authorization, field::content_length,
                          field::sec_websocket_key, field::sec_websocket_version}) {
    EXPECT_EQ(repeated_field(with(name, {"x"})), "");
    EXPECT_EQ(repeated_field(with(name, {"x", "x"})), std::string_view{to_string(name)});
  }
  EXPECT_EQ(repeated_field(with(field::connection, {"x", "x"})), "");
  EXPECT_EQ(repeated_field(with(field::sec_websocket_protocol, {"x", "x"})), "");
}

TEST(http_fields, tokens_are_what_rfc_9110_says) {
  for (int byte = 0; byte < 256; ++byte) {
    const auto c = static_cast<char>(byte);
    const bool is_one =
      byte > 0x20 && byte < 0x7F
      && std::string_view{"\"(),/:;<=>?@[\\]{}"}.find(c) == std::string_view::npos;
    EXPECT_EQ(is_token(std::string(1, c)), is_one) << byte;
  }
  EXPECT_FALSE(is_token(""));
  EXPECT_TRUE(is_token("v2.chat"));
  EXPECT_FALSE(is_token("v2 chat"));
}

TEST(http_fields, entity_tags_are_compared_weakly) {
  EXPECT_TRUE(names_etag("\"a\"", "\"a\""));
  EXPECT_TRUE(names_etag("W/\"a\"", "\"a\""));
  EXPECT_TRUE(names_etag("\"x,y\", \"a\"", "\"a\""));
  EXPECT_TRUE(names_etag("*", "\"a\""));
  EXPECT_FALSE(names_etag("", "\"a\""));
  EXPECT_FALSE(names_etag("\"b\", a", "\"a\""));
}

TEST(subprotocol, is_the_first_offered_where_any_may_be) {
  const subprotocol_rules rules;
  EXPECT_EQ(rules.choose({"v2.chat", "v1.chat"}), "v2.chat");
  EXPECT_EQ(rules.choose({}), std::nullopt);
}

TEST(subprotocol, is_the_first_offered_that_is_named) {
  subprotocol_rules rules;
  EXPECT_TRUE(rules.add("v1.chat"));
  EXPECT_TRUE(rules.add("v0.chat"));
  EXPECT_EQ(rules.choose({"v2.chat", "v1.chat", "v0.chat"}), "v1.chat");
  EXPECT_EQ(rules.choose({"v0.chat", "v1.chat"}), "v0.chat") << "the client's order";
  EXPECT_EQ(rules.choose({"v2.chat", "V1.CHAT"}), std::nullopt);
  EXPECT_TRUE(rules.add("*"));
  EXPECT_EQ(rules.choose({"v2.chat", "v1.chat"}), "v2.chat");
}

TEST(subprotocol, is_a_token) {
  subprotocol_rules rules;
  for (const char* name : {"", "a b", "a,b", "a/b", "\"a\"", "\xc3\xa9"})
    EXPECT_FALSE(rules.add(name)) << name;
  EXPECT_EQ(rules.choose({"any"}), "any") << "nothing was added";
}

} // namespace
} // namespace canang::net
