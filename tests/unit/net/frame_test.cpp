#include "net/frame.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using namespace std::string_literals;

std::string framed(frame_type type, std::size_t payload_bytes) {
  std::string out;
  append_frame(out, type, std::string(payload_bytes, 'x'));
  return out;
}

std::string close_frame(std::uint16_t code, std::string_view reason) {
  std::string out;
  append_close_frame(out, code, reason);
  return out;
}

TEST(frame, has_a_length_of_one_byte_up_to_125) {
  EXPECT_EQ(framed(frame_type::text, 0), "\x81\x00"s);
  EXPECT_EQ(framed(frame_type::binary, 1), "\x82\x01x"s);
  EXPECT_EQ(framed(frame_type::text, 125), "\x81\x7d"s + std::string(125, 'x'));
}

TEST(frame, has_a_length_of_two_bytes_up_to_65535) {
  EXPECT_EQ(framed(frame_type::text, 126), "\x81\x7e\x00\x7e"s + std::string(126, 'x'));
  EXPECT_EQ(framed(frame_type::binary, 0x1234).substr(0, 4), "\x82\x7e\x12\x34"s);
  EXPECT_EQ(framed(frame_type::text, 65535), "\x81\x7e\xff\xff"s + std::string(65535, 'x'));
}

TEST(frame, has_a_length_of_eight_bytes_above) {
  EXPECT_EQ(framed(frame_type::binary, 65536),
            "\x82\x7f\0\0\0\0\0\x01\0\0"s + std::string(65536, 'x'));
  EXPECT_EQ(framed(frame_type::text, 0x123456).substr(0, 10), "\x81\x7f\0\0\0\0\0\x12\x34\x56"s);
}

TEST(frame, is_appended_behind_what_is_there) {
  std::string out = "before";
  append_frame(out, frame_type::text, "a");
  append_frame(out, frame_type::binary, "b");
  EXPECT_EQ(out, "before\x81\x01"s + "a\x82\x01"s + "b");
}

TEST(frame, carries_any_bytes) {
  std::string out;
  append_frame(out, frame_type::binary, "\0\xff\x81"s);
  EXPECT_EQ(out, "\x82\x03\0\xff\x81"s);
}

TEST(frame, size_is_what_is_appended) {
  for (const std::size_t size : {0UL, 1UL, 125UL, 126UL, 127UL, 65535UL, 65536UL, 1'000'000UL})
    EXPECT_EQ(frame_size(size), framed(frame_type::text, size).size()) << size;
}

TEST(close_frame, has_the_code_in_network_order) {
  EXPECT_EQ(close_frame(1000, ""), "\x88\x02\x03\xe8"s);
  EXPECT_EQ(close_frame(4999, "so long"), "\x88\x09\x13\x87so long"s);
}

TEST(close_frame, holds_a_reason_of_123_bytes) {
  const std::string longest(123, 'r');
  EXPECT_EQ(close_frame(1008, longest), "\x88\x7d\x03\xf0"s + longest);
  EXPECT_EQ(close_frame(1008, longest + "r"), "\x88\x7d\x03\xf0"s + longest);
}

TEST(close_frame, cuts_its_reason_between_code_points) {
  const std::string two = "\u00e9";
  const std::string three = "\u20ac";
  const std::string four = "\U0001f514";
  for (const auto& sign : {two, three, four}) {
    // the sign begins at each place at which 123 bytes would cut it, and at both ends
    for (std::size_t before = 123 - sign.size(); before <= 123; ++before) {
      const std::string lead(before, 'r');
      const auto kept = before + sign.size() <= 123 ? lead + sign : lead;
      const auto frame = close_frame(1000, lead + sign + std::string(200, 'z'));
      EXPECT_EQ(frame.substr(4, kept.size()), kept) << sign << ' ' << before;
      if (before + sign.size() > 123) {
        EXPECT_EQ(frame.size(), 4 + kept.size()) << sign << ' ' << before;
      }
      EXPECT_EQ(static_cast<std::size_t>(static_cast<unsigned char>(frame[1])), frame.size() - 2);
    }
  }
}

TEST(close_frame, survives_a_reason_that_is_no_text) {
  EXPECT_LE(close_frame(1000, std::string(300, '\x80')).size(), 127U);
}

TEST(close_code, is_one_that_may_be_on_the_wire) {
  for (const int code : {1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 3999, 4000, 4999})
    EXPECT_TRUE(is_close_code(static_cast<std::uint16_t>(code))) << code;
  for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 10'000, 65535})
    EXPECT_FALSE(is_close_code(static_cast<std::uint16_t>(code))) << code;
}

TEST(ping_frame, is_empty) { EXPECT_EQ(ping_frame, "\x89\x00"s); }

} // namespace
} // namespace canang::net
