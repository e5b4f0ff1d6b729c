#include "net/websocket/frame_deflater.hpp"

#include "net/limits.hpp"
#include "tests/unit/support/deflated.hpp"

#include <gtest/gtest.h>

// What members are sent, compressed (RFC 7692, 6.1 and 7.2.1).

namespace canang::net {
namespace {

using test::noise;
using test::server_frame;
using test::server_frames;
using test::server_messages;
using test::some_json;

struct frame_deflater_test : testing::Test {
  loop_metrics metrics;
  frame_deflater deflater{metrics};

  static std::string frames_of(const std::vector<std::string>& messages,
                               frame_type type = frame_type::text) {
    std::string all;
    for (const auto& message : messages)
      append_frame(all, type, message);
    return all;
  }
};

TEST_F(frame_deflater_test, compresses_a_message_in_its_frame) {
  const auto text = some_json(1000);
  auto frames = frames_of({text});
  EXPECT_EQ(deflater.deflate(frames, 0, 1, compression::deflate), 1000U);
  const auto sent = server_frames(frames);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].first_byte, 0xC1U) << "FIN, RSV1, text";
  EXPECT_LT(sent[0].payload.size(), 400U);
  EXPECT_EQ(test::inflated(sent[0].payload), text);
  EXPECT_EQ(metrics.deflated_from_bytes_total.value(), 1000U);
  EXPECT_EQ(metrics.deflated_to_bytes_total.value(), sent[0].payload.size());
}

TEST_F(frame_deflater_test, leaves_the_tail_of_a_flush_out) {
  auto frames = frames_of({std::string(200, 'a')}, frame_type::binary);
  deflater.deflate(frames, 0, 1, compression::deflate);
  const auto sent = server_frames(frames);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].first_byte, 0xC2U);
  EXPECT_EQ(sent[0].payload, test::deflated(std::string(200, 'a'), 15, 1));
}

TEST_F(frame_deflater_test, compresses_each_message_by_itself) {
  const auto text = some_json(600);
  auto frames = frames_of({text, text, text});
  deflater.deflate(frames, 0, 1, compression::deflate);
  const auto sent = server_frames(frames);
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_EQ(sent[0], sent[1]) << "nothing is known of the one before";
  EXPECT_EQ(sent[1], sent[2]);
  EXPECT_EQ(server_messages(frames), (std::vector{text, text, text}));
}

TEST_F(frame_deflater_test, leaves_alone_what_is_small_or_does_not_shrink) {
  const std::vector<std::string> messages{some_json(255), noise(300), "", noise(70'000)};
  auto frames = frames_of(messages, frame_type::binary);
  const auto before = frames;
  EXPECT_EQ(deflater.deflate(frames, 0, 256, compression::deflate), 70'300U);
  EXPECT_EQ(frames, before);
  EXPECT_EQ(metrics.deflated_from_bytes_total.value(), 0U);
}

TEST_F(frame_deflater_test, is_as_good_after_one_that_did_not_shrink) {
  const auto text = some_json(500);
  auto frames = frames_of({noise(5000), text, noise(64), some_json(70'000), "x"});
  const auto untouched = frames.size();
  deflater.deflate(frames, 0, 1, compression::deflate);
  EXPECT_LT(frames.size(), untouched / 2);
  EXPECT_EQ(server_messages(frames),
            (std::vector{noise(5000), text, noise(64), some_json(70'000), std::string{"x"}}));
}

TEST_F(frame_deflater_test, touches_only_what_follows) {
  const auto text = some_json(400);
  auto frames = frames_of({text});
  const auto before = frames;
  append_frame(frames, frame_type::text, text);
  deflater.deflate(frames, before.size(), 1, compression::deflate);
  EXPECT_TRUE(frames.starts_with(before));
  EXPECT_EQ(server_frames(frames)[0].first_byte, 0x81U);
  EXPECT_EQ(server_frames(frames)[1].first_byte, 0xC1U);
}

TEST_F(frame_deflater_test, one_byte_less_is_shorter_and_the_same_is_not) {
  // sizes around the one at which it begins to pay: what is sent is never longer than it was
  for (std::size_t size = 1; size < 40; ++size) {
    const std::string text(size, 'a');
    auto frames = frames_of({text});
    const auto before = frames.size();
    deflater.deflate(frames, 0, 1, compression::deflate);
    EXPECT_EQ(server_messages(frames), std::vector{text});
    const auto packed = test::deflated(text, 15, 1).size();
    EXPECT_EQ(frames.size() < before, packed < size) << size;
  }
}

TEST_F(frame_deflater_test, has_a_window_of_512_bytes_where_that_is_agreed_on) {
  const auto block = noise(1000);
  const auto text = block + block; // alike at a distance of 1000 bytes
  auto wide = frames_of({text}, frame_type::binary);
  auto narrow = wide;
  deflater.deflate(wide, 0, 1, compression::deflate);
  EXPECT_LT(wide.size(), 1100U);
  deflater.deflate(narrow, 0, 1, compression::narrow_deflate);
  EXPECT_EQ(server_messages(narrow, 9), std::vector{text});
  EXPECT_EQ(server_messages(wide, 9), std::vector<std::string>{"!"}) << "else nothing is tested";
  auto json = frames_of({some_json(20'000)});
  deflater.deflate(json, 0, 1, compression::narrow_deflate);
  EXPECT_LT(json.size(), 10'000U);
  EXPECT_EQ(server_messages(json, 9), std::vector{some_json(20'000)});
}

TEST_F(frame_deflater_test, leaves_alone_what_takes_too_long) {
  auto frames = frames_of({std::string(max_deflated_bytes + 1, 'a')});
  const auto before = frames;
  deflater.deflate(frames, 0, 1, compression::deflate);
  EXPECT_EQ(frames, before);
  frames = frames_of({std::string(max_deflated_bytes, 'a')});
  deflater.deflate(frames, 0, 1, compression::deflate);
  EXPECT_LT(frames.size(), 10'000U);
}

} // namespace
} // namespace canang::net
