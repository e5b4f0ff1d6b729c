#include "net/framing.hpp"

#include "net/frame.hpp"

#include <gtest/gtest.h>

#include <string>

namespace canang::net {
namespace {

std::string turn_of(const framing& frames, frame_type type,
                    std::initializer_list<std::string_view> messages) {
  std::string turn;
  for (const auto message : messages)
    frames.of_turn().append(turn, type, message);
  frames.finish(turn);
  return turn;
}

std::string frame_of(frame_type type, std::string_view payload) {
  std::string frame;
  append_frame(frame, type, payload);
  return frame;
}

TEST(batched_text, has_a_turn_in_one_frame_with_line_ends_between_messages) {
  const auto turn = turn_of(batched_text_framing(), frame_type::text, {"{1}", "{2}", "{3}"});
  EXPECT_EQ(turn, frame_of(frame_type::text, "{1}\n{2}\n{3}"));
}

TEST(batched_text, has_one_message_of_a_turn_as_it_has_one_alone) {
  std::string alone;
  batched_text_framing().append(alone, frame_type::text, "{}");
  EXPECT_EQ(turn_of(batched_text_framing(), frame_type::text, {"{}"}), alone);
}

TEST(batched_binary, has_nothing_between_messages) {
  const std::string large(70'000, 'x');
  const auto turn = turn_of(batched_binary_framing(), frame_type::binary, {"a", large});
  EXPECT_EQ(turn, frame_of(frame_type::binary, "a" + large));
}

TEST(websocket_frames, are_whole_already_in_a_turn) {
  EXPECT_FALSE(websocket_framing().makes_one_of_turn());
  EXPECT_TRUE(batched_text_framing().makes_one_of_turn());
  EXPECT_EQ(turn_of(websocket_framing(), frame_type::text, {"a", "b"}),
            frame_of(frame_type::text, "a") + frame_of(frame_type::text, "b"));
}

} // namespace
} // namespace canang::net
