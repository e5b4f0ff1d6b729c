#include "net/protocol/sse.hpp"

#include "net/limits.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using namespace std::string_literals;
using kind = outgoing_publication::kind;

std::string event(const wire_format& format, outgoing_publication publication) {
  publication.epoch = "abc";
  publication.room = "a,b";
  std::string out;
  format.encode(publication, out);
  return out;
}

std::string join(const wire_format& format, bool resumes, bool recovered) {
  std::string out;
  format.encode_join({.request = resumes ? 1U : 0U,
                      .at = {.room = "a,b", .epoch = "abc", .offset = 3, .recovered = recovered}},
                     out);
  return out;
}

TEST(sse_test, of_one_room_the_text_is_the_data) {
  const auto& format = sse_format();
  EXPECT_EQ(event(format, {.data = "hi", .offset = 7}), "id: abc:7\ndata: hi\n\n");
  EXPECT_EQ(event(format, {.data = "a\r\nb", .offset = 8}), "id: abc:8\ndata: a\ndata: b\n\n");
  EXPECT_EQ(event(format, {.type = frame_type::binary, .data = "\x00\x01\xff"s, .offset = 9}),
            "id: abc:9\nevent: binary\ndata: AAH/\n\n");
  EXPECT_EQ(event(format, {.data = R"({"id":"n/1"})", .what = kind::joined, .offset = 10}),
            "id: abc:10\nevent: joined\ndata: {\"id\":\"n/1\"}\n\n");
  EXPECT_EQ(event(format, {.data = R"({"id":"n/1"})", .what = kind::left, .offset = 11}),
            "id: abc:11\nevent: left\ndata: {\"id\":\"n/1\"}\n\n");
}

TEST(sse_test, of_several_rooms_the_data_says_which) {
  const auto& format = sse_rooms_format();
  const auto place = R"({"room":"a,b","epoch":"abc","offset":)"s;
  EXPECT_EQ(event(format, {.data = "a\n", .offset = 7}),
            "id: a%2Cb=abc:7\ndata: " + place + "7,\"data\":\"a\\n\"}\n\n");
  EXPECT_EQ(event(format, {.type = frame_type::binary, .data = "\xff", .offset = 8}),
            "id: a%2Cb=abc:8\ndata: " + place + "8,\"data64\":\"/w==\"}\n\n");
  EXPECT_EQ(event(format, {.data = R"({"id":"n/1"})", .what = kind::left, .offset = 9}),
            "id: a%2Cb=abc:9\nevent: left\ndata: " + place + "9,\"left\":{\"id\":\"n/1\"}}\n\n");
}

TEST(sse_test, a_join_says_where_and_one_that_cannot_go_on_is_a_reset) {
  const auto data = R"({"room":"a,b","epoch":"abc","offset":3)"s;
  EXPECT_EQ(join(sse_format(), false, false),
            "event: join\nid: abc:3\ndata: " + data + ",\"recovered\":false}\n\n");
  EXPECT_EQ(join(sse_format(), true, true),
            "event: join\nid: abc:3\ndata: " + data + ",\"recovered\":true}\n\n");
  EXPECT_EQ(join(sse_format(), true, false), "event: reset\nid: abc:3\ndata: " + data + "}\n\n");
  EXPECT_EQ(join(sse_rooms_format(), true, false),
            "event: reset\nid: a%2Cb=abc:3\ndata: " + data + "}\n\n");
}

TEST(sse_test, a_break_is_a_reset_unless_only_the_epoch_has_changed) {
  std::string out;
  EXPECT_TRUE(sse_format().encode_break({.room = "a", .epoch = "abc", .offset = 3}, out));
  EXPECT_TRUE(out.starts_with("event: reset\nid: abc:3\n")) << out;
  out.clear();
  EXPECT_TRUE(
    sse_format().encode_break({.room = "a", .epoch = "abc", .offset = 3, .recovered = true}, out));
  EXPECT_TRUE(out.starts_with("event: join\nid: abc:3\n")) << out;
}

// -- what is asked for
// ----------------------------------------------------------------------------

struct sse_question_test : testing::Test {
  sse_question asked{.max_rooms = 4, .max_id_bytes = 200};

  sse_opening read() {
    auto result = read_sse_question(asked);
    if (const auto* const wrong = std::get_if<std::string>(&result))
      ADD_FAILURE() << *wrong;
    return std::move(std::get<sse_opening>(result));
  }

  std::string wrong() {
    const auto result = read_sse_question(asked);
    const auto* const text = std::get_if<std::string>(&result);
    return text != nullptr ? *text : "";
  }
};

TEST_F(sse_question_test, a_room_stands_in_the_path_or_rooms_in_the_query) {
  auto opening = read();
  EXPECT_EQ(opening.parameters.room, "lobby");
  EXPECT_FALSE(opening.is_of_rooms);
  EXPECT_FALSE(opening.is_return);
  asked.room = "a%2Fb/c";
  opening = read();
  EXPECT_EQ(opening.parameters.room, "a/b/c");
  EXPECT_FALSE(opening.is_of_rooms);
  asked.query = "room=a";
  EXPECT_NE(wrong().find("not in both"), std::string::npos);
  asked.room.reset();
  EXPECT_TRUE(read().is_of_rooms);
  asked.query = "room=a+b&user=ana&history=7&room=c%26d";
  opening = read();
  EXPECT_EQ(opening.parameters.room, "a b");
  ASSERT_EQ(opening.parameters.other_rooms.size(), 1U);
  EXPECT_EQ(opening.parameters.other_rooms[0].room, "c&d");
  EXPECT_EQ(opening.parameters.user, "ana");
  EXPECT_EQ(opening.parameters.history, 7U);
}

TEST_F(sse_question_test, what_is_wrong_is_told) {
  for (const auto* query :
       {"room=", "room=a&room=a", "room=a&room=b&room=c&room=d&room=e", "room=.&room=a",
        "history=x", "user=", "since=x", "room=a&since=x:1", "room=a&room=b&since=a=x:1,"}) {
    asked.query = query;
    EXPECT_NE(wrong(), "") << query;
  }
  const auto names = "room=" + std::string(80, 'a') + "&room=" + std::string(80, 'b');
  asked.query = names;
  EXPECT_NE(wrong().find("too long"), std::string::npos);
  asked.max_id_bytes = 300;
  EXPECT_EQ(wrong(), "");
}

TEST_F(sse_question_test, the_field_counts_before_the_query) {
  asked.room = "a";
  asked.query = "since=e:1&lastEventId=e:2";
  EXPECT_EQ(read().parameters.since->offset, 2U);
  EXPECT_TRUE(read().is_return);
  asked.last_event_id = "e:3";
  EXPECT_EQ(read().parameters.since->offset, 3U);
  asked.last_event_id = "nonsense";
  const auto since = read().parameters.since;
  ASSERT_TRUE(since);
  EXPECT_EQ(since->epoch, "-") << "a place where no room ever was";
  asked.query = "since=e:1";
  asked.last_event_id = {};
  EXPECT_EQ(read().parameters.since->offset, 1U);
  EXPECT_FALSE(read().is_return);
}

TEST_F(sse_question_test, each_room_has_its_own_place) {
  asked.query = "room=a&room=b&room=c";
  asked.last_event_id = "c=e3:3,a=e1:1,x=e:1";
  const auto opening = read();
  EXPECT_EQ(opening.parameters.since->epoch, "e1");
  EXPECT_FALSE(opening.parameters.other_rooms[0].since) << "it is new to the client";
  EXPECT_EQ(opening.parameters.other_rooms[1].since->offset, 3U);
  asked.last_event_id = "c=e3:3,a";
  const auto lost = read();
  EXPECT_EQ(lost.parameters.since->epoch, "-");
  for (const auto& other : lost.parameters.other_rooms)
    EXPECT_EQ(other.since->epoch, "-");
}

} // namespace
} // namespace canang::net
