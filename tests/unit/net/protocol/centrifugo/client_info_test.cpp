// ClientInfo of the protocol: who a member is, and what its tokens say of it, in both formats byte by byte.

#include "net/protocol/centrifugo/json_data.hpp"
#include "net/protocol/centrifugo/reply_words.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace canang::net::centrifugo {
namespace {

using namespace std::string_literals;

/// What one of the formats has for what `write` appends.
template <class Write>
std::string told(const reply_words& words, Write write) {
  std::string out;
  write(words, out);
  return out;
}

TEST(client_info, of_who_published_has_what_its_tokens_say) {
  outgoing_publication said{.data = "1", .offset = 4, .room = "r"};
  said.author = member_view{"n1/7", "ann", R"({"a":1})", "[2]"};
  const auto write = [&](const reply_words& words, std::string& out) {
    words.publication(out, said);
  };
  EXPECT_EQ(told(json_words(), write),
            R"({"push":{"channel":"r","pub":{"data":1,"info":{"user":"ann","client":"n1/7",)"
            R"("conn_info":{"a":1},"chan_info":[2]},"offset":4}}})");
  EXPECT_EQ(told(protobuf_words(), write), "'\"%\x12\x01r\" \"\x01"
                                           "1*\x19\x0a\x03"
                                           "ann\x12\x04n1/7\x1a\x07{\"a\":1}\"\x03[2]0\x04"s);
}

TEST(client_info, of_members_has_what_their_tokens_say) {
  const std::vector<member_view> members{{"n1/7", "ann", R"({"a":1})", {}},
                                         {"n2/8", "", {}, "[2]"}};
  const auto write = [&](const reply_words& words, std::string& out) {
    words.presence(out, {3, members});
  };
  EXPECT_EQ(told(json_words(), write),
            R"({"id":3,"presence":{"presence":{)"
            R"("n1/7":{"user":"ann","client":"n1/7","conn_info":{"a":1}},)"
            R"("n2/8":{"user":"","client":"n2/8","chan_info":[2]}}}})");
  EXPECT_EQ(told(protobuf_words(), write),
            "7\x08\x03J3\x0a\x1c\x0a\x04n1/7\x12\x14\x0a\x03"
            "ann\x12\x04n1/7\x1a\x07{\"a\":1}\x0a\x13\x0a\x04n2/8\x12\x0b\x12\x04n2/8\"\x03[2]"s);
}

TEST(client_info, of_who_has_left_has_what_its_tokens_said) {
  const auto write = [&](const reply_words& words, std::string& out) {
    words.moved(out, "r", false,
                read_member(R"({"id":"n1/7","user":"ann","info":{"a":1},"room_info":[2]})"));
  };
  EXPECT_EQ(told(json_words(), write),
            R"({"push":{"channel":"r","leave":{"info":{"user":"ann","client":"n1/7",)"
            R"("conn_info":{"a":1},"chan_info":[2]}}}})");
  EXPECT_EQ(told(protobuf_words(), write), "\"\" \x12\x01r2\x1b\x0a\x19\x0a\x03"
                                           "ann\x12\x04n1/7\x1a\x07{\"a\":1}\"\x03[2]"s);
}

TEST(client_info, is_read_from_the_json_of_a_member_as_it_stands) {
  const auto member = read_member(
    R"({ "id" : "n1\/7", "user":"a\"b", "else":[{}], "info": {"n":[1.0, 123456789012345678901]} })");
  EXPECT_EQ(member.id, "n1/7");
  EXPECT_EQ(member.user, "a\"b");
  EXPECT_EQ(member.info, R"({"n":[1.0, 123456789012345678901]})");
  EXPECT_EQ(member.room_info, "");
  EXPECT_EQ(read_member(R"({"id":7,"user":null})").id, "");
  for (const auto& no_member : {R"({"id":"n1/7")"s, R"({"id":"n1/7"}})"s, R"(["id"])"s,
                                "{\"id\":\"n1/7\",\"user\":\"\xff\"}"s, ""s})
    EXPECT_EQ(read_member(no_member).id, "") << no_member;
}

} // namespace
} // namespace canang::net::centrifugo
