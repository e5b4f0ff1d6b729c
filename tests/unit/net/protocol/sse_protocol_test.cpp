#include "net/protocol/sse.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using kind = outgoing_publication::kind;

std::string event_of(const wire_format& format, const outgoing_publication& publication) {
  std::string out;
  format.encode(publication, out);
  return out;
}

TEST(sse_protocol, an_event_has_the_place_of_its_publication_as_its_id) {
  const auto& format = sse_format();
  EXPECT_EQ(event_of(format, {frame_type::text, "hello", kind::message, "abc", 7}),
            "id: abc:7\ndata: hello\n\n");
  EXPECT_EQ(event_of(format, {frame_type::binary, "\xff", kind::message, "abc", 8}),
            "id: abc:8\nevent: binary\ndata: /w==\n\n");
  EXPECT_EQ(event_of(format, {frame_type::text, "{}", kind::left, "abc", 9}),
            "id: abc:9\nevent: left\ndata: {}\n\n");
}

TEST(sse_protocol, what_has_no_place_in_the_order_leaves_the_last_id_as_it_was) {
  EXPECT_EQ(event_of(sse_format(), {frame_type::text, "hello"}), "data: hello\n\n");
  EXPECT_EQ(event_of(sse_format(), {frame_type::binary, "\xff"}), "event: binary\ndata: /w==\n\n");
  EXPECT_EQ(event_of(sse_rooms_format(), {frame_type::text, "hello", kind::message, {}, 0, "a"}),
            "data: {\"room\":\"a\",\"data\":\"hello\"}\n\n");
}

TEST(sse_protocol, of_several_rooms_each_event_says_where_its_publication_is) {
  const auto& format = sse_rooms_format();
  EXPECT_EQ(event_of(format, {frame_type::text, "a \"b\"", kind::message, "abc", 7, "a b"}),
            "id: a%20b=abc:7\n"
            "data: {\"room\":\"a b\",\"epoch\":\"abc\",\"offset\":7,\"data\":\"a \\\"b\\\"\"}\n\n");
  EXPECT_EQ(event_of(format, {frame_type::binary, "\xff", kind::message, "abc", 8, "a"}),
            "id: a=abc:8\n"
            "data: {\"room\":\"a\",\"epoch\":\"abc\",\"offset\":8,\"data64\":\"/w==\"}\n\n");
  EXPECT_EQ(event_of(format, {frame_type::text, "{}", kind::joined, "abc", 9, "a"}),
            "id: a=abc:9\nevent: joined\n"
            "data: {\"room\":\"a\",\"epoch\":\"abc\",\"offset\":9,\"joined\":{}}\n\n");
}

TEST(sse_protocol, only_who_is_removed_for_good_is_told_and_stays) {
  std::string out;
  EXPECT_TRUE(sse_rooms_format().encode_unsubscribed({"a", 3503, "removed"}, out));
  EXPECT_EQ(out, "event: unsubscribed\n"
                 "data: {\"room\":\"a\",\"code\":3503,\"reason\":\"removed\"}\n\n");
  out.clear();
  EXPECT_FALSE(sse_rooms_format().encode_unsubscribed({"a", 1011, "internal error"}, out));
  EXPECT_FALSE(sse_format().encode_unsubscribed({"a", 3503, "removed"}, out));
  EXPECT_EQ(out, "");
}

} // namespace
} // namespace canang::net
