#include "net/json_cursor.hpp"

#include <gtest/gtest.h>

#include <simdjson.h>

#include <string>
#include <string_view>
#include <vector>

namespace canang::net {
namespace {

using namespace std::string_literals;

constexpr std::size_t deep = 8;

/// Whether all of `text` is one value. Of a copy that ends where its memory ends, for AddressSanitizer.
bool is_value(std::string_view text) {
  const std::vector<char> exact{text.begin(), text.end()};
  json_cursor cursor{{exact.data(), exact.size()}, deep};
  const auto value = cursor.value();
  return cursor.is_done() && !value.empty();
}

std::string unescaped(std::string_view raw) {
  std::string out(raw.size(), '\0');
  out.resize(static_cast<std::size_t>(unescape_json(raw, out.data()) - out.data()));
  return out;
}

const std::vector<std::string> values{
  R"("\ud800")",
  R"("\udbff")",
  R"("\udc00")",
  R"("\udfff")",
  R"("\ud800\ud800")",
  R"("\ud800 \udc00")",
  "null",
  "true",
  "false",
  "0",
  "-0",
  "10",
  "-1.50e+3",
  "1E400",
  "0.1e-09",
  R"("")",
  R"("\u00e4\n")",
  R"("\"\\\/\b\f\n\r\t")",
  R"("\ud83d\ude00\uDBFF\uDFFF")",
  R"("\ud7ff\ue000")",
  "[]",
  "{}",
  "[ ]",
  "{ }",
  R"([1,2,{"x":[]}])",
  R"({"b":1,"a":2,"b":3})",
  R"({"":""})",
  "123456789012345678901234567890",
  "\"\x7f\"",
  "[[],\t[[ ]\n,{}]\r]",
  R"("}")",
  R"("\\")",
  R"("\"}")",
  "[[[[[[[[1]]]]]]]]",
};

const std::vector<std::string> faults{
  "",
  " ",
  "nul",
  "nulll",
  "True",
  "NaN",
  "Infinity",
  "-",
  "--1",
  "+1",
  "01",
  "-01",
  "1.",
  ".5",
  "1.e1",
  "1e",
  "1e+",
  "0x1",
  "1_0",
  "'a'",
  "\"",
  "\"\\",
  "\"\\u",
  "\"\\ud83d\\",
  "\"\\ud83d\\u",
  R"("\")",
  R"("\a")",
  "\"\\\0\""s,
  R"("\u00")",
  R"("\u00e")",
  R"("\u00g0")",
  R"("\U0041")",
  "\"\t\"",
  "\"\0\""s,
  "\"\x1f\"",
  "[",
  "]",
  "{",
  "}",
  "[,]",
  "[1,]",
  "[,1]",
  "[1 2]",
  "[1,,2]",
  "[1}",
  "{]",
  "{1:1}",
  "{\"a\"}",
  R"({"a":})",
  R"({"a":1,})",
  R"({,"a":1})",
  R"({"a":1 "b":2})",
  R"({"a"::1})",
  R"({"a":1}})",
  "1 1",
  "/**/1",
  "\xa0",
  "1\0"s,
  "\0"s,
  "[[[[[[[[[1]]]]]]]]]",
  R"({"":[[[[[[[[]]]]]]]]})",
};

TEST(json_cursor_test, takes_any_value_as_it_stands) {
  for (const auto& text : values)
    for (const std::string space : {"", " ", "\t \r\n"}) {
      json_cursor cursor{text, deep};
      EXPECT_EQ(cursor.value(), text);
      EXPECT_TRUE(cursor.is_done()) << text;
      EXPECT_TRUE(is_value(std::string{space}.append(text).append(space))) << text;
    }
}

TEST(json_cursor_test, takes_nothing_else) {
  for (const auto& text : faults)
    EXPECT_FALSE(is_value(text)) << testing::PrintToString(text);
}

TEST(json_cursor_test, a_value_that_is_cut_is_none_but_for_a_number) {
  for (const auto& text : values)
    for (std::size_t size = 0; size < text.size(); ++size)
      EXPECT_FALSE(is_value(text.substr(0, size))
                   && text.find_first_not_of("-0123456789.eE+") != std::string::npos)
        << text.substr(0, size);
}

TEST(json_cursor_test, takes_of_all_short_texts_those_that_simdjson_takes) {
  constexpr std::string_view letters = "[]{},:\"\\10-.e ";
  constexpr std::size_t longest = 5;
  simdjson::dom::parser parser;
  std::string text;
  std::size_t taken = 0;
  for (std::size_t size = 1, texts = letters.size(); size <= longest;
       ++size, texts *= letters.size())
    for (std::size_t i = 0; i < texts; ++i) {
      text.assign(size, '\0');
      for (std::size_t at = 0, rest = i; at < size; ++at, rest /= letters.size())
        text[at] = letters[rest % letters.size()];
      text.reserve(size + simdjson::SIMDJSON_PADDING);
      const auto is_json = parser.parse(text.data(), size, false).error() == simdjson::SUCCESS;
      json_cursor cursor{text, deep};
      cursor.value();
      ASSERT_EQ(cursor.is_done(), is_json) << text;
      taken += is_json ? 1 : 0;
    }
  EXPECT_GT(taken, 1000U);
}

TEST(json_cursor_test, goes_through_the_fields_of_an_object) {
  json_cursor cursor{R"( { "a" : 1 , "b" : { "c" : null } , "d" : "\u0064" } )", deep};
  std::string_view name;
  cursor.enter_object();
  ASSERT_TRUE(cursor.next_field(name));
  EXPECT_EQ(name, R"("a")");
  EXPECT_EQ(cursor.peek(), '1');
  EXPECT_FALSE(cursor.skip_null());
  EXPECT_EQ(cursor.value(), "1");
  ASSERT_TRUE(cursor.next_field(name));
  EXPECT_EQ(name, R"("b")");
  cursor.enter_object();
  ASSERT_TRUE(cursor.next_field(name));
  EXPECT_EQ(name, R"("c")");
  EXPECT_TRUE(cursor.skip_null());
  EXPECT_FALSE(cursor.next_field(name));
  ASSERT_TRUE(cursor.next_field(name));
  EXPECT_EQ(cursor.value(), R"("\u0064")");
  EXPECT_FALSE(cursor.is_done());
  EXPECT_FALSE(cursor.next_field(name));
  EXPECT_TRUE(cursor.is_done());
}

TEST(json_cursor_test, after_a_fault_there_is_nothing) {
  json_cursor cursor{R"({"a":1,"b":2})", deep};
  std::string_view name;
  cursor.enter_object();
  ASSERT_TRUE(cursor.next_field(name));
  EXPECT_EQ(cursor.value(), "1");
  EXPECT_FALSE(cursor.fail());
  EXPECT_FALSE(cursor.is_good());
  EXPECT_EQ(cursor.peek(), '\0');
  EXPECT_TRUE(cursor.value().empty());
  EXPECT_FALSE(cursor.next_field(name));
  EXPECT_FALSE(cursor.skip_null());
  EXPECT_FALSE(cursor.is_done());
}

TEST(json_cursor_test, is_not_done_within_an_object) {
  json_cursor cursor{"{", deep};
  cursor.enter_object();
  EXPECT_TRUE(cursor.is_good());
  EXPECT_FALSE(cursor.is_done());
}

TEST(json_cursor_test, an_object_that_is_entered_counts_for_the_depth) {
  for (const std::size_t depth : {1, 2}) {
    json_cursor cursor{R"({"a":{}})", depth};
    std::string_view name;
    cursor.enter_object();
    ASSERT_TRUE(cursor.next_field(name));
    cursor.enter_object();
    EXPECT_EQ(cursor.is_good(), depth == 2);
  }
}

TEST(json_cursor_test, a_string_says_what_its_escapes_stand_for) {
  EXPECT_EQ(unescaped(R"("")"), "");
  EXPECT_EQ(unescaped(R"("plain")"), "plain");
  EXPECT_EQ(unescaped(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(unescaped(R"("\u0000\u0041\u007f")"), "\0A\x7f"s);
  EXPECT_EQ(unescaped(R"("\u0080\u07ff\u0800\uFFFF")"), "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf");
  EXPECT_EQ(unescaped(R"("\ud800\udc00|\uDBFF\uDFFF")"), "\xf0\x90\x80\x80|\xf4\x8f\xbf\xbf");
}

TEST(json_cursor_test, half_a_character_is_said_to_be_one_that_is_not_known) {
  EXPECT_EQ(unescaped(R"("\ud83d")"), "\xef\xbf\xbd");
  EXPECT_EQ(unescaped(R"("\ude00")"), "\xef\xbf\xbd");
  EXPECT_EQ(unescaped(R"("\ud83d\u0041")"), "\xef\xbf\xbd"
                                            "A");
  EXPECT_EQ(unescaped(R"("\ud83d\ud83d\ude00")"), "\xef\xbf\xbd\xf0\x9f\x98\x80");
  EXPECT_EQ(unescaped(R"("\ud83d\\")"), "\xef\xbf\xbd\\");
}

} // namespace
} // namespace canang::net
