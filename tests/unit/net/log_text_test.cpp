#include "net/log_text.hpp"

#include <gtest/gtest.h>

#include <simdjson.h>

namespace canang::net {
namespace {

using namespace std::string_literals;

TEST(log_text, shows_plain_text_as_it_is) {
  for (const auto& text :
       {"kitchen"s, ""s, "a room/1"s, "\u00e9\u65e5\U0001f514"s, "\u0645\u0631"s}) {
    EXPECT_EQ(log_field(text), '"' + text + '"');
    EXPECT_EQ(log_line(text), text);
    EXPECT_EQ(log_json(text), text);
  }
}

TEST(log_text, keeps_a_field_one_field) {
  EXPECT_EQ(log_field(R"(a" level="error)"), R"("a\" level=\"error")");
  EXPECT_EQ(log_field(R"(a\)"), R"("a\\")");
  EXPECT_EQ(log_line(R"(room="a")"), R"(room="a")") << "its quotes are its own";
}

TEST(log_text, keeps_a_line_one_line) {
  EXPECT_EQ(log_line("a\r\nb\tc\0d\x1b[31m\x7f"s), R"(a\r\nb\tc\u0000d\u001b[31m\u007f)");
  EXPECT_EQ(log_line("a\u0085b\u2028c\u2029d"), R"(a\u0085b\u2028c\u2029d)");
}

TEST(log_text, shows_what_turns_text_around_or_hides_in_it) {
  // the marks of direction, the characters without a width, the fillers, the tags
  for (const auto& [text, number] : {std::pair{"\u061c"s, "\\u061c"s},
                                     {"\u200b"s, "\\u200b"s},
                                     {"\u200e"s, "\\u200e"s},
                                     {"\u202a"s, "\\u202a"s},
                                     {"\u202e"s, "\\u202e"s},
                                     {"\u2066"s, "\\u2066"s},
                                     {"\u2069"s, "\\u2069"s},
                                     {"\ufeff"s, "\\ufeff"s},
                                     {"\u3164"s, "\\u3164"s},
                                     {"\u00ad"s, "\\u00ad"s},
                                     {"\U000e0041"s, "\\U000e0041"s}}) {
    EXPECT_EQ(log_field("a" + text + "b"), "\"a" + number + "b\"");
    EXPECT_EQ(log_line(text), number);
  }
}

TEST(log_text, shows_bytes_that_are_not_utf8_by_their_number) {
  EXPECT_EQ(log_line("a\xff\xc3"), R"(a\xff\xc3)");
  EXPECT_EQ(log_line("\xc0\xaf"), R"(\xc0\xaf)") << "longer than it need be";
  EXPECT_EQ(log_line("\xed\xa0\x80"), R"(\xed\xa0\x80)") << "a surrogate";
  EXPECT_EQ(log_line("\xf4\x90\x80\x80"), R"(\xf4\x90\x80\x80)") << "beyond Unicode";
  EXPECT_EQ(log_line("\xe2\x80"), R"(\xe2\x80)") << "cut off";
  EXPECT_EQ(log_line("\xe2\x80\xae"), R"(\u202e)");
}

TEST(log_text, is_valid_json_that_gives_it_back) {
  const auto text = "\"\\\n\u2028\u202e\U000e0041\U0001f514\u00e9\x01\x7f"s;
  const auto line = log_json(text);
  EXPECT_EQ(line,
            R"(\"\\\u000a\u2028\u202e\udb40\udc41)"s + "\U0001f514\u00e9" + R"(\u0001\u007f)");
  simdjson::dom::parser parser;
  const auto document = R"({"msg":")" + line + R"("})";
  EXPECT_EQ(std::string_view{parser.parse(document)["msg"]}, text);
  EXPECT_EQ(log_json("a\xff"), R"(a\ufffd)");
}

} // namespace
} // namespace canang::net
