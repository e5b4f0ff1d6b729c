#include "bench/load/payload.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace canang::load {
namespace {

class payload_test : public testing::Test {
protected:
  void SetUp() override { payload::reserve_filler(4096); }
};

TEST_F(payload_test, reads_what_it_wrote_at_the_limits) {
  const payload::header limits{0xFFFFFF, payload::room_limit - 1, payload::publisher_limit - 1,
                               payload::sequence_limit - 1, (std::uint64_t{1} << 48) - 1};
  for (const auto& h : {payload::header{}, payload::header{1, 2, 3, 4, 5}, limits}) {
    std::string message;
    payload::encode(h, 64, message);
    payload::header back;
    ASSERT_EQ(message.size(), 64U);
    ASSERT_TRUE(payload::decode(message, back));
    EXPECT_EQ(back.run, h.run);
    EXPECT_EQ(back.room, h.room);
    EXPECT_EQ(back.publisher, h.publisher);
    EXPECT_EQ(back.sequence, h.sequence);
    EXPECT_EQ(back.time_ns, h.time_ns);
    EXPECT_EQ(payload::prefix_of(message.data()), payload::prefix(h.run, h.room));
  }
}

TEST_F(payload_test, is_text_that_json_leaves_as_it_is) {
  std::string message;
  payload::encode({0xABCDEF, 0x123456, 0x2FFFF, 0x3ABCDEF0, 0xFEDCBA987654}, 4096, message);
  EXPECT_TRUE(std::all_of(message.begin(), message.end(),
                          [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; }));
}

TEST_F(payload_test, has_another_filler_for_the_next_sequence) {
  std::string first;
  std::string second;
  payload::encode({1, 1, 1, 7, 9}, 128, first);
  payload::encode({1, 1, 1, 8, 9}, 128, second);
  EXPECT_NE(first.substr(payload::header_size), second.substr(payload::header_size));
}

TEST_F(payload_test, refuses_what_is_short_or_not_of_its_digits) {
  payload::header h;
  EXPECT_FALSE(payload::decode("", h));
  EXPECT_FALSE(payload::decode(std::string(23, 'A'), h));
  EXPECT_TRUE(payload::decode(std::string(24, 'A'), h));
  EXPECT_FALSE(payload::decode("{\"type\":1,\"body\":\"hello\"}", h));
}

} // namespace
} // namespace canang::load
