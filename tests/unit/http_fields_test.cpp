#include "net/http_fields.hpp"


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

} // namespace
} // namespace canang::net
