// What publishers are told: one write a session and turn.

#include "net/limits.hpp"
#include "tests/unit/support/fanout_fixture.hpp"

#include <gtest/gtest.h>

#include <string>

namespace canang::actors {
namespace {

struct answers_of_a_turn : test::fanout_fixture {
  test::fake_session_ptr open(connection_id id) {
    auto session = attach(id);
    session->open();
    return session;
  }

  void answer(const test::fake_session_ptr& who, std::string_view text,
              const net::framing& frames = net::batched_text_framing()) {
    frames.of_turn().append(members.answers().of(who, frames), net::frame_type::text, text);
  }

  static std::string frame_of(std::string_view payload) {
    std::string frame;
    net::append_frame(frame, net::frame_type::text, payload);
    return frame;
  }
};

TEST_F(answers_of_a_turn, come_together_when_it_ends) {
  const auto a = open(1);
  const auto b = open(2);
  answer(a, "a1");
  answer(b, "b1", net::websocket_framing());
  answer(a, "a2");
  answer(b, "b2", net::websocket_framing());
  EXPECT_EQ(a->writes + b->writes, 0U);
  members.flush();
  EXPECT_EQ(a->got, frame_of("a1\na2"));
  EXPECT_EQ(b->got, frame_of("b1") + frame_of("b2")) << "each is whole";
  EXPECT_EQ(a->writes, 1U);
  EXPECT_EQ(b->writes, 1U);
  members.flush();
  answer(a, "a3");
  members.flush();
  EXPECT_EQ(a->got, frame_of("a1\na2") + frame_of("a3"));
  EXPECT_EQ(a->writes, 2U);
}

TEST_F(answers_of_a_turn, come_before_the_session_is_closed) {
  const auto closed = open(1);
  const auto ended = open(2);
  const auto drained = open(3);
  answer(closed, "1");
  members.close_one(1, 4000, "", net::close_reason::disconnected);
  EXPECT_EQ(closed->got, frame_of("1"));
  answer(ended, "2");
  members.end_one(2, 1012, "", net::close_reason::drain);
  EXPECT_EQ(ended->got, frame_of("2"));
  answer(drained, "3");
  members.close_all(1012, "", net::close_reason::drain);
  EXPECT_EQ(drained->got, frame_of("3"));
}

TEST_F(answers_of_a_turn, are_dropped_with_a_session_that_is_gone) {
  const auto a = open(1);
  answer(a, "1");
  a->close(1001, "", net::close_reason::normal);
  members.detach(1);
  members.flush();
  EXPECT_EQ(a->got, "");
}

TEST_F(answers_of_a_turn, do_not_grow_without_bound) {
  const auto a = open(1);
  const std::string text(net::max_turn_buffer_bytes / 4, 'x');
  for (int i = 0; i < 12; ++i)
    answer(a, text);
  EXPECT_EQ(a->writes, 2U) << "what is a buffer full goes at once";
  members.flush();
  EXPECT_EQ(a->writes, 3U);
  EXPECT_GT(a->got.size(), 12 * text.size());
}

} // namespace
} // namespace canang::actors
