#include "net/http/target.hpp"
#include "net/json.hpp"
#include "net/protocol/plain.hpp"

#include <gtest/gtest.h>

#include <simdjson.h>

#include <optional>
#include <string>

namespace canang::net {
namespace {

using namespace std::string_literals;
using kind = outgoing_publication::kind;

/// The payload of the one text frame that was appended.
std::string payload(const std::string& frames) {
  EXPECT_GE(frames.size(), 2U);
  EXPECT_EQ(static_cast<unsigned char>(frames[0]), 0x81U);
  const auto size = static_cast<unsigned char>(frames[1]);
  const std::size_t header = size < 126 ? 2 : size == 126 ? 4 : 10;
  return frames.substr(header);
}

std::string encoded(const outgoing_publication& publication) {
  std::string frames;
  plain_meta_format().encode(publication, frames);
  return payload(frames);
}

std::optional<connection_parameters> parsed(std::string_view query) {
  auto result = parse_plain_target("/ws/a", query);
  if (auto* const parameters = std::get_if<connection_parameters>(&result))
    return std::move(*parameters);
  return std::nullopt;
}

TEST(plain_meta, says_the_position_of_each_publication) {
  EXPECT_EQ(encoded({frame_type::text, "hi", kind::message, "abc", 7}),
            R"({"epoch":"abc","offset":7,"data":"hi"})");
  EXPECT_EQ(encoded({frame_type::binary, "\x00\x01\xff"s, kind::message, "abc", 8}),
            R"({"epoch":"abc","offset":8,"data64":"AAH/"})");
  EXPECT_EQ(encoded({frame_type::text, R"({"id":"n/1"})", kind::left, "abc", 9}),
            R"({"epoch":"abc","offset":9,"left":{"id":"n/1"}})");
  EXPECT_EQ(encoded({frame_type::text, R"({"id":"n/1"})", kind::joined, "abc", 10}),
            R"({"epoch":"abc","offset":10,"joined":{"id":"n/1"}})");
}

TEST(plain_meta, names_no_position_of_a_publication_that_has_none) {
  EXPECT_EQ(encoded({frame_type::text, "hi", kind::message, "", 0}), R"({"data":"hi"})");
  EXPECT_EQ(encoded({frame_type::binary, "\x00\x01\xff"s, kind::message, "", 0}),
            R"({"data64":"AAH/"})");
}

TEST(plain_meta, says_where_a_member_begins_and_where_its_order_is_broken) {
  std::string frames;
  plain_meta_format().encode_join({.at = {"a \"b\"", "abc", 3, true}}, frames);
  EXPECT_EQ(payload(frames),
            R"({"join":{"room":"a \"b\"","epoch":"abc","offset":3,"recovered":true}})");
  frames.clear();
  EXPECT_TRUE(plain_meta_format().encode_break({"a", "abc", 0, false}, frames));
  EXPECT_EQ(payload(frames), R"({"join":{"room":"a","epoch":"abc","offset":0,"recovered":false}})");
  frames.clear();
}

TEST(plain_meta, says_why_a_publish_failed) {
  const auto words = plain_meta_format().language.converse();
  for (const auto& [why, code] : {std::pair{command_fault::unavailable, "unavailable"},
                                  {command_fault::refused, "refused"},
                                  {command_fault::not_allowed, "not_allowed"},
                                  {command_fault::too_large, "too_large"}}) {
    std::string frames;
    EXPECT_TRUE(words->encode_fault({.why = why}, websocket_framing(), frames));
    EXPECT_NE(payload(frames).find("{\"error\":{\"code\":\""s + code + '"'), std::string::npos)
      << frames;
  }
  std::string frames;
  EXPECT_FALSE(words->encode_fault({.what = command_kind::join}, websocket_framing(), frames))
    << "its handshake is refused";
  EXPECT_TRUE(frames.empty());
}

TEST(plain, has_no_word_for_positions_events_and_losses) {
  std::string frames;
  plain_format().encode_join({.at = {"a", "abc", 3, true}}, frames);
  plain_format().encode({frame_type::text, "{}", kind::joined, "abc", 9}, frames);
  EXPECT_TRUE(plain_format().encode_break({"a", "abc", 3, true}, frames));
  EXPECT_FALSE(plain_format().encode_break({"a", "abc", 3, false}, frames));
  EXPECT_FALSE(plain_format().encode_unsubscribed({"a", 1011, "gone"}, frames));
  EXPECT_FALSE(plain_format().language.converse()->encode_fault({}, websocket_framing(), frames));
  EXPECT_TRUE(frames.empty());
}

TEST(json_string, is_read_back_by_a_parser_as_it_was) {
  std::string text;
  for (int c = 0; c < 128; ++c)
    text += static_cast<char>(c);
  text += "\u00e9\u2028\U0001F600\"\\";
  std::string json;
  append_json_string(json, text);
  simdjson::dom::parser parser;
  std::string_view back;
  ASSERT_EQ(parser.parse(json).get_string().get(back), simdjson::SUCCESS);
  EXPECT_EQ(back, text);
}

TEST(base64, pads_what_is_no_multiple_of_three) {
  const auto of = [](std::string_view bytes) {
    std::string out;
    append_base64(out, bytes);
    return out;
  };
  // RFC 4648, section 10
  EXPECT_EQ(of(""), "");
  EXPECT_EQ(of("f"), "Zg==");
  EXPECT_EQ(of("fo"), "Zm8=");
  EXPECT_EQ(of("foo"), "Zm9v");
  EXPECT_EQ(of("foob"), "Zm9vYg==");
  EXPECT_EQ(of("foobar"), "Zm9vYmFy");
}

TEST(plain_target, resumes_with_epoch_and_offset) {
  const auto parameters = parsed("since=abc:17");
  ASSERT_TRUE(parameters && parameters->since);
  EXPECT_EQ(parameters->since->epoch, "abc");
  EXPECT_EQ(parameters->since->offset, 17U);
  EXPECT_TRUE(parameters->meta) << "who resumes has to be told where it is";
  EXPECT_TRUE(parsed("meta=true")->meta);
  EXPECT_FALSE(parsed("meta=false")->meta);
  EXPECT_FALSE(parsed("")->meta);
  EXPECT_EQ(parsed("user=J%C3%B6rg")->user, "J\u00f6rg");
}

TEST(plain_target, refuses_a_since_that_is_none) {
  for (const char* query :
       {"since=", "since=abc", "since=:1", "since=abc:", "since=abc:x", "since=abc:-1",
        "since=abc:1x", "since=abc:99999999999999999999", "since=abc:9007199254740992",
        "since=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:1", "meta=yes", "meta=", "user=", "user=%0a"})
    EXPECT_FALSE(parsed(query)) << query;
}

} // namespace
} // namespace canang::net
