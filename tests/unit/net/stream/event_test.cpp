#include "net/stream/event.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using namespace std::string_literals;

std::string data_of(std::string_view text) {
  std::string out;
  append_data(out, text);
  return out;
}

TEST(event_test, each_line_of_a_text_is_a_data_line) {
  EXPECT_EQ(data_of("dinner"), "data: dinner\n");
  EXPECT_EQ(data_of(""), "data: \n");
  EXPECT_EQ(data_of("a\nb"), "data: a\ndata: b\n");
  EXPECT_EQ(data_of("a\rb"), "data: a\ndata: b\n");
  EXPECT_EQ(data_of("a\r\nb"), "data: a\ndata: b\n");
  EXPECT_EQ(data_of("a\n\rb"), "data: a\ndata: \ndata: b\n");
  EXPECT_EQ(data_of("a\n"), "data: a\ndata: \n");
  EXPECT_EQ(data_of("\r\n"), "data: \ndata: \n");
  EXPECT_EQ(data_of("\n\n"), "data: \ndata: \ndata: \n");
  EXPECT_EQ(data_of(" a: b"), "data:  a: b\n");
  EXPECT_EQ(data_of("a\0b"s), "data: a\0b\n"s);
}

TEST(event_test, pauses_are_within_their_range) {
  for (int i = 0; i < 1000; ++i) {
    const auto pause = random_pause(stream_retry);
    ASSERT_GE(pause, stream_retry.least);
    ASSERT_LE(pause, stream_retry.most);
  }
}

TEST(event_test, a_close_says_why_and_when_to_come_back) {
  std::string out;
  append_close_event(out, 1008, "slow consumer", std::chrono::milliseconds{1234});
  EXPECT_EQ(out,
            "event: close\nretry: 1234\ndata: {\"code\":1008,\"reason\":\"slow consumer\"}\n\n");
}

} // namespace
} // namespace canang::net
