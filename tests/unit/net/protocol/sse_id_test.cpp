#include "net/protocol/sse_id.hpp"

#include "net/limits.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

TEST(sse_id_test, a_position_is_an_epoch_and_an_offset) {
  const auto position = parse_room_id("q3k8zn5tca:17");
  ASSERT_TRUE(position);
  EXPECT_EQ(position->epoch, "q3k8zn5tca");
  EXPECT_EQ(position->offset, 17U);
  std::string text;
  append_position(text, position->epoch, position->offset);
  EXPECT_EQ(text, "q3k8zn5tca:17");
  EXPECT_TRUE(parse_room_id("e:9007199254740991"));
  for (const auto* wrong :
       {"", "e", ":1", "e:", "e:x", "e:-1", "e:1 ", "e:9007199254740992", "e:18446744073709551616",
        "a b:1", "a:b:1", "123456789012345678901234567890123:1"})
    EXPECT_FALSE(parse_room_id(wrong)) << wrong;
}

TEST(sse_id_test, an_id_of_several_rooms_has_a_position_for_each) {
  const auto positions = parse_room_ids("kitchen=e1:17,a%2Fb%2C%3D=e2:0", 2);
  ASSERT_TRUE(positions);
  ASSERT_EQ(positions->size(), 2U);
  EXPECT_EQ((*positions)[0].first, "kitchen");
  EXPECT_EQ((*positions)[0].second.offset, 17U);
  EXPECT_EQ((*positions)[1].first, "a/b,=");
  EXPECT_EQ((*positions)[1].second.epoch, "e2");
}

TEST(sse_id_test, of_an_id_that_is_wrong_somewhere_nothing_is_believed) {
  for (const auto* wrong :
       {"", ",", "a", "a=", "a=e", "=e:1", "a=e:1,", ",a=e:1", "a=e:1,a=e:2", "a=e:1,b", "a%=e:1",
        "a%0A=e:1", ".=e:1", "a=e:1;b=e:1", "a=e f:1", "%ff=e:1"})
    EXPECT_FALSE(parse_room_ids(wrong, 9)) << wrong;
  EXPECT_FALSE(parse_room_ids("a=e:1," + std::string(max_event_id_bytes, 'b') + "=e:1", 9));
  EXPECT_FALSE(parse_room_ids("a=e:1,b=e:1,c=e:1", 2));
}

TEST(sse_id_test, a_name_in_an_id_is_one_whatever_is_in_it) {
  EXPECT_EQ(name_in_id("Az09-._~"), "Az09-._~");
  EXPECT_EQ(name_in_id("a b,c=d:e%"), "a%20b%2Cc%3Dd%3Ae%25");
  EXPECT_EQ(name_in_id("\xc3\xa9"), "%C3%A9");
}

} // namespace
} // namespace canang::net
