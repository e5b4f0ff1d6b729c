#include "net/protocol/sse.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using kind = outgoing_publication::kind;

std::string event_of(const dialect& language, const outgoing_publication& publication) {
  std::string out;
  language.encode(publication, out);
  return out;
}

TEST(sse_dialect, an_event_has_the_place_of_its_publication_as_its_id) {
  const auto& language = sse_dialect(false);
  EXPECT_EQ(event_of(language, {frame_type::text, "hello", kind::message, "abc", 7}),
            "id: abc:7\ndata: hello\n\n");
  EXPECT_EQ(event_of(language, {frame_type::binary, "\xff", kind::message, "abc", 8}),
            "id: abc:8\nevent: binary\ndata: /w==\n\n");
  EXPECT_EQ(event_of(language, {frame_type::text, "{}", kind::left, "abc", 9}),
            "id: abc:9\nevent: left\ndata: {}\n\n");
}

TEST(sse_dialect, what_has_no_place_in_the_order_leaves_the_last_id_as_it_was) {
  EXPECT_EQ(event_of(sse_dialect(false), {frame_type::text, "hello"}), "data: hello\n\n");
  EXPECT_EQ(event_of(sse_dialect(true), {frame_type::binary, "\xff"}),
            "event: binary\ndata: /w==\n\n");
  EXPECT_EQ(event_of(sse_rooms_dialect(false), {frame_type::text, "hello"}),
            "data: {\"room\":\"\",\"data\":\"hello\"}\n\n");
}

TEST(sse_dialect, of_several_rooms_each_event_says_where_its_publication_is) {
  const auto& language = sse_rooms_dialect(false);
  EXPECT_EQ(event_of(language, {frame_type::text, "a \"b\"", kind::message, "abc", 7}),
            "id: =abc:7\ndata: {\"room\":\"\",\"epoch\":\"abc\",\"offset\":7,\"data\":\"a "
            "\\\"b\\\"\"}\n\n");
  EXPECT_EQ(
    event_of(language, {frame_type::binary, "\xff", kind::message, "abc", 8}),
    "id: =abc:8\ndata: {\"room\":\"\",\"epoch\":\"abc\",\"offset\":8,\"data64\":\"/w==\"}\n\n");
  EXPECT_EQ(event_of(language, {frame_type::text, "{}", kind::joined, "abc", 9}),
            "id: =abc:9\nevent: joined\ndata: {\"room\":\"\",\"epoch\":\"abc\",\"offset\":9,"
            "\"joined\":{}}\n\n");
}

} // namespace
} // namespace canang::net
