#include "net/http/target.hpp"

#include "net/limits.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using namespace std::string_literals;

TEST(target, is_split_at_its_first_question_mark) {
  const auto check = [](std::string_view target, std::string_view path, std::string_view query) {
    const auto parts = split_target(target);
    EXPECT_EQ(parts.path, path) << target;
    EXPECT_EQ(parts.query, query) << target;
  };
  check("/ws/a?echo=false", "/ws/a", "echo=false");
  check("/ws/a", "/ws/a", "");
  check("/ws/a?", "/ws/a", "");
  check("/?a=b?c", "/", "a=b?c");
  check("?x", "", "x");
  check("", "", "");
}

TEST(target, may_be_absolute) {
  const auto check = [](std::string_view target, std::string_view authority, std::string_view path,
                        std::string_view query) {
    const auto parts = read_target(target);
    ASSERT_TRUE(parts) << target;
    EXPECT_EQ(parts->authority, authority) << target;
    EXPECT_EQ(parts->path, path) << target;
    EXPECT_EQ(parts->query, query) << target;
  };
  check("/ws/a?echo=false", "", "/ws/a", "echo=false");
  check("//ws", "", "//ws", "");
  check("*", "", "*", "");
  check("http://localhost/ws/a?echo=false", "localhost", "/ws/a", "echo=false");
  check("HTTPS://[::1]:443/", "[::1]:443", "/", "");
  check("ws://a:8000", "a:8000", "/", "");
  check("wss://a?history=3", "a", "/", "history=3");
  check("http://a/http://b/c", "a", "/http://b/c", "");
}

TEST(target, is_a_path_or_a_url_of_http) {
  for (const char* target : {"", "ws", "?x", "ftp://a/b", "http:/a", "http:a", "http://",
                             "http:///ws", "http://?x", "http://a#b", "http://user@a/ws",
                             "http://a b/ws", "http://a:x/ws", "http://:80/ws", "://a/b", "a:8000"})
    EXPECT_FALSE(read_target(target)) << target;
}

TEST(percent_decode, decodes_two_hexadecimal_digits) {
  EXPECT_EQ(percent_decode(""), "");
  EXPECT_EQ(percent_decode("plain"), "plain");
  EXPECT_EQ(percent_decode("%41"), "A");
  EXPECT_EQ(percent_decode("a%20b%2fc%2Fd"), "a b/c/d");
  EXPECT_EQ(percent_decode("%C3%A9"), "\u00e9");
  EXPECT_EQ(percent_decode("%00%ff"), "\0\xff"s);
  EXPECT_EQ(percent_decode("%2541"), "%41") << "once only";
  EXPECT_EQ(percent_decode("a+b"), "a+b");
}

TEST(percent_decode, decodes_every_byte) {
  static constexpr std::string_view lower = "0123456789abcdef";
  static constexpr std::string_view upper = "0123456789ABCDEF";
  for (std::size_t byte = 0; byte < 256; ++byte)
    for (const auto& digits : {lower, upper})
      EXPECT_EQ(percent_decode("%"s + digits[byte / 16] + digits[byte % 16]),
                std::string(1, static_cast<char>(byte)));
}

TEST(percent_decode, refuses_what_is_not_two_hexadecimal_digits) {
  for (const char* text : {"%", "%4", "a%", "a%4", "%4g", "%g4", "%%41", "%-1", "% 1", "%0x",
                           "%41%", "%4:", "%/0", "%@0", "%`0", "%G0", "%4\xc3"})
    EXPECT_EQ(percent_decode(text), std::nullopt) << text;
}

TEST(query_value, is_found_by_its_whole_name) {
  EXPECT_EQ(query_value("echo=false", "echo"), "false");
  EXPECT_EQ(query_value("a=1&echo=false&b=2", "echo"), "false");
  EXPECT_EQ(query_value("xecho=1&echox=2", "echo"), std::nullopt);
  EXPECT_EQ(query_value("ECHO=1", "echo"), std::nullopt);
  EXPECT_EQ(query_value("a=echo", "echo"), std::nullopt);
  EXPECT_EQ(query_value("", "echo"), std::nullopt);
  EXPECT_EQ(query_value("&&", "echo"), std::nullopt);
}

TEST(query_value, may_be_empty) {
  EXPECT_EQ(query_value("echo=", "echo"), "");
  EXPECT_EQ(query_value("echo", "echo"), "");
  EXPECT_EQ(query_value("a&echo&b", "echo"), "");
}

TEST(query_value, is_the_first_of_its_name) { EXPECT_EQ(query_value("n=1&n=2", "n"), "1"); }

TEST(query_values, are_all_of_that_name_in_their_order) {
  const std::vector<std::string> both{"b c", "", "a"};
  EXPECT_EQ(query_values("n=b+c&m=x&n&n=%61", "n"), both);
  EXPECT_TRUE(query_values("m=1&&", "n").empty());
}

TEST(query_value, may_contain_equals_signs) { EXPECT_EQ(query_value("a=b=c", "a"), "b=c"); }

TEST(query_value, is_decoded) {
  EXPECT_EQ(query_value("a=%26%3d", "a"), "&=");
  EXPECT_EQ(query_value("a=%4", "a"), "%4") << "as it is, for an error to name";
}

TEST(query_value, has_a_plus_for_a_space) {
  EXPECT_EQ(query_value("a=Ann+Lee", "a"), "Ann Lee");
  EXPECT_EQ(query_value("a=%2B+%2b", "a"), "+ +");
  EXPECT_EQ(query_value("a=1+%4", "a"), "1+%4") << "badly encoded: as it is";
  EXPECT_EQ(percent_decode("Ann+Lee"), "Ann+Lee") << "in queries only";
}

TEST(room_name, is_none_that_no_browser_can_put_into_a_path) {
  for (const char* name : {".", ".."}) {
    EXPECT_FALSE(is_room_name(name)) << name;
    EXPECT_TRUE(is_user_name(name)) << name;
  }
  for (const char* name : {"...", ".a", "a.", "a/..", "../a", ". ", "%2e"})
    EXPECT_TRUE(is_room_name(name)) << name;
}

TEST(room_name, is_1_to_255_bytes) {
  EXPECT_FALSE(is_room_name(""));
  EXPECT_TRUE(is_room_name("a"));
  EXPECT_TRUE(is_room_name(std::string(max_room_name_bytes, 'a')));
  EXPECT_FALSE(is_room_name(std::string(max_room_name_bytes + 1, 'a')));
  EXPECT_TRUE(is_room_name("\u00e9"s + std::string(253, 'a')));
  EXPECT_FALSE(is_room_name("\u00e9"s + std::string(254, 'a'))) << "bytes, not characters";
}

TEST(room_name, has_no_control_characters) {
  for (int byte = 0; byte < 0x20; ++byte) {
    EXPECT_FALSE(is_room_name(std::string(1, static_cast<char>(byte)))) << byte;
    EXPECT_FALSE(is_room_name("a"s + static_cast<char>(byte) + "b")) << byte;
  }
  EXPECT_TRUE(is_room_name(" "));
  EXPECT_TRUE(is_room_name("~"));
  EXPECT_FALSE(is_room_name("\x7f"));
  EXPECT_FALSE(is_room_name("\u0080"));
  EXPECT_FALSE(is_room_name("a\u009f"));
  EXPECT_TRUE(is_room_name("\u00a0"));
  EXPECT_TRUE(is_room_name("\u0100")) << "its second byte is 80, but of another character";
  EXPECT_TRUE(is_room_name("\u0442")) << "its second byte is 82";
}

TEST(room_name, may_have_any_other_sign) {
  for (const char* name : {"a/b", "/", "?", "%41", "#", "a b", "\u65e5\u672c", "\U0001f514", "\\",
                           "\"", "\ufeff", "\ufffd", "\uffff"})
    EXPECT_TRUE(is_room_name(name)) << name;
}

TEST(room_name, is_utf8) {
  // the first and the last code point of each length, and the neighbours of the surrogates
  for (const char* name : {"\x7e", "\xc2\xa0", "\xdf\xbf", "\xe0\xa0\x80", "\xef\xbf\xbf",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf", "\xee\x80\x80"})
    EXPECT_TRUE(is_room_name(name));
  for (const char* name : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2",
                           "\xc2"
                           "a",
                           "\xdf", "\xe0\x9f\xbf", "\xe0\xa0", "\xed\xa0\x80", "\xed\xbf\xbf",
                           "\xef\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x90\x80", "\xf4\x90\x80\x80",
                           "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfe", "\xff"}) {
    EXPECT_FALSE(is_room_name(name));
    EXPECT_FALSE(is_room_name("before"s + name));
    EXPECT_FALSE(is_room_name(name + "after"s));
  }
}

} // namespace
} // namespace canang::net
