#include "net/protocol/centrifugo/json_data.hpp"

#include <gtest/gtest.h>

#include <string>

namespace canang::net::centrifugo {
namespace {

using namespace std::string_literals;

std::string data_of(frame_type type, std::string_view payload) {
  std::string out = "before:";
  append_json_data(out, type, payload);
  EXPECT_TRUE(out.starts_with("before:"));
  return out.substr(7);
}

std::string text(std::string_view payload) { return data_of(frame_type::text, payload); }

TEST(json_data, leaves_json_as_it_was_sent) {
  for (const auto* const json : {R"({"a": [1, 2.50, null]})", "17", R"("x\n\u2028")", "[]", "true",
                                 "1e400", R"("\ud83d")", "123456789012345678901234567890"})
    EXPECT_EQ(text(json), json);
}

TEST(json_data, takes_line_ends_out_of_json_but_not_out_of_its_strings) {
  EXPECT_EQ(text("{\n  \"a\": 1,\r\n  \"b\": \"x y\"\n}"), R"({"a":1,"b":"x y"})");
  EXPECT_EQ(text("[1,\n2]\n"), "[1,2]");
}

TEST(json_data, has_other_text_as_a_string) {
  EXPECT_EQ(text("hello"), R"("hello")");
  EXPECT_EQ(text("{\"a\":"), R"("{\"a\":")");
  EXPECT_EQ(text("{} {}"), R"("{} {}")");
  EXPECT_EQ(text("a\nb"), R"("a\nb")");
  EXPECT_EQ(text("01"), R"("01")");
  EXPECT_EQ(text(""), R"("")");
  EXPECT_EQ(text("a\0b"s), R"("a\u0000b")");
}

TEST(json_data, has_bytes_in_base64) {
  EXPECT_EQ(data_of(frame_type::binary, "{}"), R"("e30=")");
  EXPECT_EQ(data_of(frame_type::binary, "\xff\x00"s), R"("/wA=")");
}

TEST(json_data, is_one_line_whatever_comes) {
  std::string deep(5000, '[');
  deep += '\n';
  deep += std::string(5000, ']');
  for (const auto& payload : {deep, "{\"a\"\n:\n1}"s, "\n\n"s, "\n{}"s, "[\"\n\"]"s})
    EXPECT_EQ(text(payload).find('\n'), std::string::npos) << payload.substr(0, 20);
}

TEST(json_data, reads_a_member) {
  const auto member = read_member(R"({"id":"n1/7","user":"a\"b"})");
  EXPECT_EQ(member.id, "n1/7");
  EXPECT_EQ(member.user, "a\"b");
  EXPECT_EQ(read_member("not json").id, "");
}

} // namespace
} // namespace canang::net::centrifugo
