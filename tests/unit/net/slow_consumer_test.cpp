#include "tests/unit/support/list_source.hpp"
#include "tests/unit/support/loopback.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace canang::net {
namespace {

using namespace std::chrono_literals;
using test::list_source;

/// Two members of a made-up room: one has a small receive buffer and reads only when told to.
struct slow_consumer_test : testing::Test {
  explicit slow_consumer_test(std::chrono::milliseconds grace = 0ms)
    : loop{{.max_message_bytes = 64 << 10U,
            .max_outbox_bytes = limit,
            .close_timeout = 1s,
            .slow_consumer_grace = grace}} {}

  static constexpr std::size_t limit = 256 << 10U;

  test::turning_loop loop;
  test::session_log slow_log;
  test::session_log other_log;
  test::raw_client slow{tcp_socket{loop.io.get_executor()}};
  test::raw_client other{tcp_socket{loop.io.get_executor()}};
  session_ptr to_slow;
  session_ptr to_other;

  void SetUp() override {
    to_slow = connect(slow, slow_log, 4096);
    to_other = connect(other, other_log, 0);
  }

  session_ptr connect(test::raw_client& client, test::session_log& log, int receive_buffer) {
    auto [server, other_end] = test::connected_pair(loop.io, receive_buffer);
    if (receive_buffer > 0)
      server.set_option(boost::asio::socket_base::send_buffer_size{receive_buffer});
    client = std::move(other_end);
    auto session = make_websocket_session(loop.context, {std::move(server), test::handshake(), {}});
    session->attach(std::make_unique<test::noting_handler>(log));
    session->open();
    EXPECT_TRUE(loop.until([&] { return client.has("\r\n\r\n"); }));
    client.got.erase(0, client.got.find("\r\n\r\n") + 4);
    return session;
  }

  frame_buffer_ptr frame(int number) {
    auto buffer = loop.context.buffers.make();
    append_frame(buffer->bytes(), frame_type::text,
                 std::string(1000, static_cast<char>('a' + number % 26)));
    return buffer;
  }

  /// The frames that a client has got, checked one by one from number 0 on. What is left is returned.
  static std::string after_frames(std::string_view got, int& count) {
    for (count = 0;; ++count) {
      std::string expected;
      append_frame(expected, frame_type::text,
                   std::string(1000, static_cast<char>('a' + count % 26)));
      if (!got.starts_with(expected))
        return std::string{got};
      got.remove_prefix(expected.size());
    }
  }
};

TEST_F(slow_consumer_test, keeps_what_the_socket_does_not_take_and_sends_it_later) {
  int sent = 0;
  for (; loop.context.metrics.outbox_bytes.value() < 100'000; ++sent) {
    const auto buffer = frame(sent);
    ASSERT_NE(to_slow->send(buffer, 0, buffer->size()), send_status::dropped);
  }
  const auto buffer = frame(sent++);
  EXPECT_EQ(to_slow->send(buffer, 0, buffer->size()), send_status::queued);
  const auto total = static_cast<std::size_t>(sent) * frame_size(1000);
  EXPECT_TRUE(loop.until([&] {
    slow.receive();
    return slow.got.size() >= total;
  }));
  int whole = 0;
  EXPECT_EQ(after_frames(slow.got, whole), "");
  EXPECT_EQ(whole, sent);
  EXPECT_EQ(loop.context.metrics.outbox_bytes.value(), 0U);
  EXPECT_TRUE(to_slow->is_open());
  EXPECT_TRUE(slow_log.closes.empty());
}

TEST_F(slow_consumer_test, has_something_waiting_until_it_has_read_it) {
  EXPECT_FALSE(to_slow->has_waiting());
  for (int sent = 0; loop.context.metrics.outbox_bytes.value() < 10'000; ++sent) {
    const auto buffer = frame(sent);
    to_slow->send(buffer, 0, buffer->size());
  }
  EXPECT_TRUE(to_slow->has_waiting());
  EXPECT_TRUE(loop.until([&] {
    slow.receive();
    return !to_slow->has_waiting();
  }));
  EXPECT_EQ(loop.context.metrics.outbox_bytes.value(), 0U);
}

TEST_F(slow_consumer_test, is_closed_with_1008_behind_whole_frames_while_others_go_on) {
  int sent = 0;
  for (bool is_slow_dropped = false; !is_slow_dropped; ++sent) {
    ASSERT_LT(sent, 100'000);
    const auto buffer = frame(sent); // shared by both, as a room's frames are
    is_slow_dropped = to_slow->send(buffer, 0, buffer->size()) == send_status::dropped;
    ASSERT_NE(to_other->send(buffer, 0, buffer->size()), send_status::dropped);
    other.receive();
  }
  EXPECT_FALSE(to_slow->is_open());
  EXPECT_TRUE(slow_log.closes.empty()) << "never from inside the call";
  const auto buffer = frame(sent++);
  EXPECT_EQ(to_slow->send(buffer, 0, buffer->size()), send_status::dropped);
  EXPECT_EQ(to_other->send(buffer, 0, buffer->size()), send_status::sent);

  ASSERT_TRUE(loop.until([&] { return !slow_log.closes.empty(); }));
  EXPECT_EQ(slow_log.closes[0].code, 1008);
  EXPECT_EQ(slow_log.closes[0].reason, close_reason::slow_consumer);
  EXPECT_LE(loop.context.metrics.outbox_bytes.value(), 2000U) << "what was not started is dropped";
  ASSERT_TRUE(loop.until([&] { return slow.has("\x88\x0f\x03\xf0slow consumer"); }));
  int whole = 0;
  EXPECT_EQ(after_frames(slow.got, whole), "\x88\x0f\x03\xf0slow consumer");
  EXPECT_GT(whole, 0);
  EXPECT_LT(whole, sent - 180) << "256 KiB were dropped";

  const auto total = static_cast<std::size_t>(sent) * frame_size(1000);
  EXPECT_TRUE(loop.until([&] {
    other.receive();
    return other.got.size() >= total;
  }));
  EXPECT_EQ(after_frames(other.got, whole), "");
  EXPECT_EQ(whole, sent);
  EXPECT_TRUE(other_log.closes.empty());
}

TEST_F(slow_consumer_test, that_never_reads_again_is_gone_after_the_close_timeout) {
  for (int sent = 0; to_slow->is_open(); ++sent) {
    const auto buffer = frame(sent);
    to_slow->send(buffer, 0, buffer->size());
  }
  to_slow.reset();
  EXPECT_TRUE(loop.until([&] { return loop.context.metrics.connections.value() == 1; }));
  EXPECT_EQ(loop.context.metrics.outbox_bytes.value(), 0U);
  EXPECT_EQ(slow_log.closes.size(), 1U);
}

/// An answer of 2,000 frames, some a piece: eight times what may wait for a client.
struct long_answer_test : slow_consumer_test {
  list_source::log pieces;

  frame_source_ptr answer(int frames_a_piece) {
    std::deque<std::string> all;
    for (int number = 0; number < 2000;) {
      std::string piece;
      for (int i = 0; i < frames_a_piece; ++i, ++number) {
        const auto next = frame(number);
        piece.append(next->data(), next->size());
      }
      all.push_back(std::move(piece));
    }
    return std::make_unique<list_source>(loop.context.buffers, std::move(all), &pieces);
  }

  frame_buffer_ptr nothing() { return loop.context.buffers.make(); }
};

TEST_F(long_answer_test, is_taken_whatever_its_size_and_what_comes_later_waits_behind_it) {
  EXPECT_EQ(to_slow->send_reply(nothing(), answer(50)), send_status::queued);
  EXPECT_EQ(loop.context.lanes.descriptor(to_slow->lane()), -1) << "nothing may overtake it";
  int sent = 2000;
  for (; sent < 2100; ++sent) {
    const auto live = frame(sent);
    ASSERT_EQ(to_slow->send(live, 0, live->size()), send_status::queued);
  }
  EXPECT_TRUE(to_slow->is_open());
  const auto total = static_cast<std::size_t>(sent) * frame_size(1000);
  EXPECT_TRUE(loop.until([&] {
    slow.receive();
    return slow.got.size() >= total;
  }));
  int whole = 0;
  EXPECT_EQ(after_frames(slow.got, whole), "");
  EXPECT_EQ(whole, sent);
  EXPECT_TRUE(pieces.is_gone);
  EXPECT_EQ(loop.context.metrics.outbox_bytes.value(), 0U);
  EXPECT_GE(loop.context.lanes.descriptor(to_slow->lane()), 0);
}

TEST_F(long_answer_test, is_encoded_no_further_than_the_socket_takes_it) {
  to_slow->send_reply(nothing(), answer(1));
  for (int i = 0; i < 40; ++i)
    loop.turn(1ms);
  EXPECT_LT(pieces.asked, 1000) << "the client does not read";
  EXPECT_EQ(loop.context.metrics.outbox_bytes.value(), 0U) << "nothing waits in slices";
  to_slow->abort(close_reason::drain);
  EXPECT_TRUE(pieces.is_gone);
}

TEST_F(long_answer_test, gets_no_more_than_its_share_of_a_turn) {
  loop.turn(1ms);
  to_other->send_reply(nothing(), answer(1));
  const auto share = static_cast<int>(max_join_bytes_a_turn / frame_size(1000)) + 1;
  EXPECT_EQ(pieces.asked, share);
  EXPECT_TRUE(loop.context.sockets.has_more()) << "it goes on in the next turn";
  loop.context.sockets.poll();
  EXPECT_EQ(pieces.asked, 2 * share);
  EXPECT_TRUE(loop.until([&] {
    other.receive();
    return other.got.size() == 2000 * frame_size(1000);
  }));
}

TEST_F(long_answer_test, waits_for_the_next_turn_when_this_one_is_spent) {
  loop.turn(1ms);
  loop.context.sockets.charge(max_cost_a_turn);
  EXPECT_EQ(to_other->send_reply(frame(0), answer(50)), send_status::queued);
  EXPECT_EQ(pieces.asked, 0);
  EXPECT_TRUE(loop.until([&] {
    other.receive();
    return !other.got.empty();
  }))
    << "its beginning waits for nothing";
  EXPECT_TRUE(loop.until([&] {
    other.receive();
    return other.got.size() == 2001 * frame_size(1000);
  }));
}

TEST_F(long_answer_test, does_not_hold_up_what_its_client_says) {
  to_slow->send_reply(nothing(), answer(50));
  slow.send(test::client_frame(0x81, "hello"));
  EXPECT_TRUE(loop.until([&] { return slow_log.messages.size() == 1; }));
}

TEST_F(long_answer_test, is_sent_to_its_end_before_an_orderly_close) {
  to_other->send_reply(nothing(), answer(50));
  to_other->close(1012, "restart", close_reason::drain);
  EXPECT_TRUE(loop.until([&] { return other.has("\x88\x09\x03\xf4restart"); }));
  int whole = 0;
  EXPECT_EQ(after_frames(other.got, whole), "\x88\x09\x03\xf4restart");
  EXPECT_EQ(whole, 2000);
}

TEST_F(long_answer_test, is_cut_behind_a_whole_frame_for_one_whom_live_messages_made_slow) {
  to_slow->send_reply(nothing(), answer(1));
  for (int i = 0; to_slow->is_open(); ++i) {
    ASSERT_LT(i, 1000) << "256 KiB may wait";
    const auto live = frame(i);
    to_slow->send(live, 0, live->size());
  }
  EXPECT_TRUE(pieces.is_gone);
  EXPECT_TRUE(loop.until([&] { return slow.has("\x88\x0f\x03\xf0slow consumer"); }));
  int whole = 0;
  EXPECT_EQ(after_frames(slow.got, whole), "\x88\x0f\x03\xf0slow consumer");
  EXPECT_LT(whole, 2000);
  EXPECT_LT(pieces.asked, 2000);
}

TEST_F(slow_consumer_test, gets_one_message_over_the_limit_and_stays) {
  const auto large = loop.context.buffers.make(std::string(7 << 20U, 'x'));
  EXPECT_EQ(to_other->send(large, 0, large->size()), send_status::queued);
  to_other->ping();
  EXPECT_TRUE(to_other->is_open());
  EXPECT_TRUE(loop.until([&] {
    other.receive();
    return other.got.size() == large->size() + ping_frame.size();
  }));
  EXPECT_TRUE(to_other->is_open());
  EXPECT_EQ(loop.context.metrics.outbox_bytes.value(), 0U);
}

/// With time to come back below the limit.
struct grace_test : slow_consumer_test {
  static constexpr auto grace = 600ms;

  grace_test() : slow_consumer_test(grace) {}

  [[nodiscard]] std::size_t waiting() const { return loop.context.metrics.outbox_bytes.value(); }

  /// Turns, and whoever is slow does not read, until so much time is over.
  void wait(std::chrono::milliseconds time) {
    const auto until = std::chrono::steady_clock::now() + time;
    ASSERT_TRUE(loop.until([&] { return std::chrono::steady_clock::now() > until; }));
  }

  void read_down_to(std::size_t bytes) {
    ASSERT_TRUE(loop.until([&] {
      slow.receive();
      return waiting() <= bytes;
    }));
  }

  int fill(std::size_t bytes) {
    int sent = 0;
    for (; waiting() < bytes; ++sent) {
      const auto buffer = frame(sent);
      EXPECT_NE(to_slow->send(buffer, 0, buffer->size()), send_status::dropped);
    }
    return sent;
  }
};

TEST_F(grace_test, over_its_limit_is_closed_when_the_time_is_over) {
  fill(2 * limit);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(to_slow->is_open());
  ASSERT_TRUE(loop.until([&] { return !slow_log.closes.empty(); }));
  EXPECT_GE(std::chrono::steady_clock::now() - began, grace / 2);
  EXPECT_EQ(slow_log.closes[0].code, 1008);
  EXPECT_EQ(slow_log.closes[0].reason, close_reason::slow_consumer);
}

TEST_F(grace_test, stays_when_it_has_read_in_time) {
  const auto sent = fill(limit + 8192);
  read_down_to(limit);
  wait(2 * grace);
  EXPECT_TRUE(to_slow->is_open());
  EXPECT_TRUE(slow_log.closes.empty());
  const auto total = static_cast<std::size_t>(sent) * frame_size(1000);
  EXPECT_TRUE(loop.until([&] {
    slow.receive();
    return slow.got.size() == total;
  }));
  int whole = 0;
  EXPECT_EQ(after_frames(slow.got, whole), "");
  EXPECT_EQ(whole, sent) << "nothing was dropped";
}

TEST_F(grace_test, is_given_it_anew_each_time) {
  for (int i = 0; i < 3; ++i) {
    fill(limit + 8192);
    wait(grace / 2);
    read_down_to(limit);
    ASSERT_TRUE(to_slow->is_open());
  }
}

TEST_F(grace_test, is_closed_at_once_over_the_cap) {
  const auto began = std::chrono::steady_clock::now();
  std::size_t most = 0;
  for (int sent = 0; to_slow->is_open(); ++sent) {
    most = std::max(most, waiting());
    const auto buffer = frame(sent);
    to_slow->send(buffer, 0, buffer->size());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, grace);
  EXPECT_GT(most, 3 * limit);
  EXPECT_LT(most, 4 * limit + 4096);
  ASSERT_TRUE(loop.until([&] { return !slow_log.closes.empty(); }));
  EXPECT_EQ(slow_log.closes[0].reason, close_reason::slow_consumer);
}

/// The deadline of a close is another one than that of the grace.
TEST_F(grace_test, that_is_closed_meanwhile_has_all_the_time_that_a_close_has) {
  fill(2 * limit);
  to_slow->close(1012, "restart", close_reason::drain);
  wait(grace + 150ms);
  EXPECT_GT(waiting(), limit) << "it is not cut yet";
  ASSERT_TRUE(loop.until([&] { return waiting() == 0; })) << "now it is";
  ASSERT_EQ(slow_log.closes.size(), 1U);
  EXPECT_EQ(slow_log.closes[0].reason, close_reason::drain);
}

/// One whose long answer waits for the next turn whenever it has had its share of one. The socket takes many
/// such shares, but not all of the answer.
struct paused_answer_test : grace_test {
  static constexpr int frames = 2000;

  paused_answer_test() {
    std::deque<std::string> pieces;
    for (int number = 0; number < frames; ++number) {
      const auto piece = frame(number);
      pieces.emplace_back(piece->data(), piece->size());
    }
    answer = std::make_unique<list_source>(loop.context.buffers, std::move(pieces), &asked);
  }

  void SetUp() override { to_other = connect(other, other_log, 200'000); }

  void send_frames_over_the_limit() {
    for (; waiting() <= limit + limit / 4; ++sent) {
      const auto live = frame(sent);
      ASSERT_EQ(to_other->send(live, 0, live->size()), send_status::queued);
    }
  }

  /// The loop's time goes on so far without a turn of the client's.
  void let_its_time_pass(std::chrono::milliseconds time) {
    loop.context.deadlines.advance(loop.context.now() + time);
  }

  list_source::log asked;
  frame_source_ptr answer;
  int sent = frames;
};

TEST_F(paused_answer_test, takes_no_grace_from_one_that_waits_for_us) {
  loop.turn(1ms);
  to_other->send_reply(loop.context.buffers.make(), std::move(answer));
  send_frames_over_the_limit();
  ASSERT_LT(asked.asked, frames) << "its share of the turn is used up";
  for (int i = 1; i <= 3; ++i)
    let_its_time_pass(i * (grace + 200ms));
  ASSERT_TRUE(to_other->is_open()) << "it is given the time anew";
  const auto total = static_cast<std::size_t>(sent) * frame_size(1000);
  EXPECT_TRUE(loop.until([&] {
    other.receive();
    return other.got.size() == total;
  }));
  int whole = 0;
  EXPECT_EQ(after_frames(other.got, whole), "");
  EXPECT_EQ(whole, sent) << "nothing was dropped";
  EXPECT_TRUE(other_log.closes.empty());
}

TEST_F(paused_answer_test, spares_nobody_for_longer_than_it_is_paused) {
  loop.turn(1ms);
  to_other->send_reply(loop.context.buffers.make(), std::move(answer));
  send_frames_over_the_limit();
  let_its_time_pass(grace + 200ms);
  ASSERT_TRUE(to_other->is_open());
  ASSERT_TRUE(loop.until([&] { return !other_log.closes.empty(); })) << "it does not read";
  EXPECT_EQ(other_log.closes[0].reason, close_reason::slow_consumer);
}

} // namespace
} // namespace canang::net
