#include "net/websocket/session.hpp"
#include "tests/unit/support/loopback.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using test::client_frame;

struct websocket_session_test : testing::Test {
  test::turning_loop loop{{1000, 1 << 20U, 200ms, 200ms}};
  test::raw_client client{tcp_socket{loop.io.get_executor()}};
  test::session_log log;
  session_ptr session;

  void make(std::string already_read = {}) {
    auto [server, other_end] = test::connected_pair(loop.io);
    client = std::move(other_end);
    session = make_websocket_session(
      loop.context, {std::move(server), test::handshake(), std::move(already_read)});
    session->attach(std::make_unique<test::noting_handler>(log));
  }

  /// Opens, and reads the answer of the handshake off the client.
  void open(std::string already_read = {}) {
    make(std::move(already_read));
    session->open();
    ASSERT_TRUE(loop.until([&] { return client.has("\r\n\r\n"); }));
    EXPECT_TRUE(client.got.starts_with("HTTP/1.1 101 ")) << client.got;
    EXPECT_NE(client.got.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), std::string::npos);
    client.got.erase(0, client.got.find("\r\n\r\n") + 4);
  }

  /// Lets go of the session and waits until nothing of it is left.
  void expect_gone() {
    session.reset();
    EXPECT_TRUE(loop.until([&] { return loop.context.metrics.connections.value() == 0; }));
    EXPECT_EQ(loop.context.metrics.outbox_bytes.value(), 0U);
    EXPECT_EQ(loop.context.metrics.outbox_memory_bytes.value(), 0U);
    EXPECT_EQ(loop.context.metrics.inbox_bytes.value(), 0U);
    EXPECT_LE(log.closes.size(), 1U);
  }

  void expect_close(std::uint16_t code, close_reason reason) {
    ASSERT_TRUE(loop.until([&] { return !log.closes.empty(); }));
    EXPECT_EQ(log.closes[0].code, code);
    EXPECT_EQ(to_string(log.closes[0].reason), to_string(reason));
  }
};

TEST_F(websocket_session_test, hands_on_messages_of_every_size) {
  open();
  std::vector<std::string> sent;
  for (const std::size_t size :
       {0UL, 1UL, 125UL, 126UL, 127UL, 128UL, 129UL, 500UL, 999UL, 1000UL}) {
    sent.push_back(std::string(size, static_cast<char>('a' + size % 26)));
    client.send(client_frame(size % 2 == 0 ? 0x81 : 0x82, sent.back()));
  }
  ASSERT_TRUE(loop.until([&] { return log.messages.size() == sent.size(); }));
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(log.messages[i].second, sent[i]);
    EXPECT_EQ(log.messages[i].first,
              sent[i].size() % 2 == 0 ? frame_type::text : frame_type::binary);
  }
}

TEST_F(websocket_session_test, joins_fragments_with_pings_between_them) {
  open();
  client.send(client_frame(0x01, std::string(100, 'a')) + client_frame(0x89, "ping")
              + client_frame(0x00, std::string(200, 'b')) + client_frame(0x00, "")
              + client_frame(0x80, "c"));
  ASSERT_TRUE(loop.until([&] { return log.messages.size() == 1; }));
  EXPECT_EQ(log.messages[0].second, std::string(100, 'a') + std::string(200, 'b') + "c");
  EXPECT_TRUE(loop.until([&] { return client.has("\x8a\x04ping"); }));
}

TEST_F(websocket_session_test, reads_what_came_right_behind_the_handshake_first) {
  const auto early = client_frame(0x81, "early");
  open(early.substr(0, 4));
  client.send(early.substr(4) + client_frame(0x81, "later"));
  ASSERT_TRUE(loop.until([&] { return log.messages.size() == 2; }));
  EXPECT_EQ(log.messages[0].second, "early");
  EXPECT_EQ(log.messages[1].second, "later");
}

TEST_F(websocket_session_test, is_open_from_open_to_close) {
  make();
  EXPECT_FALSE(session->is_open());
  session->open();
  EXPECT_TRUE(session->is_open());
  session->close(1000, "", close_reason::drain);
  EXPECT_FALSE(session->is_open());
  expect_gone();
}

TEST_F(websocket_session_test, answers_the_clients_close_with_its_code) {
  open();
  client.send(client_frame(0x88, "\x03\xe8"
                                 "bye"));
  expect_close(1000, close_reason::normal);
  EXPECT_TRUE(loop.until([&] {
    client.receive();
    return client.is_over;
  }));
  EXPECT_EQ(client.got.substr(0, 1), "\x88");
  EXPECT_EQ(client.got.substr(2, 2), "\x03\xe8");
  client.leave();
  expect_gone();
}

/// What comes first is yet to be had, and never is.
struct never_ready final : frame_source {
  [[nodiscard]] bool is_ready() const noexcept override { return false; }
  [[nodiscard]] frame_buffer_ptr next() override { return nullptr; }
  [[nodiscard]] std::size_t pinned_bytes() const noexcept override { return 0; }
};

TEST_F(websocket_session_test, ends_though_the_first_answer_is_yet_to_be_had) {
  for (const auto& one : {std::pair{client_frame(0x88, "\x03\xe8"s), "\x88\x02\x03\xe8"s},
                          std::pair{client_frame(0xc1, "x"), "\x88"s}}) {
    log = {};
    open();
    session->send_reply(loop.context.buffers.make(), std::make_unique<never_ready>());
    session->send(loop.context.buffers.make("behind it"), 0, 9);
    client.send(one.first);
    ASSERT_TRUE(loop.until([&] { return client.has(one.second); }));
    EXPECT_TRUE(client.got.starts_with(one.second));
    ASSERT_TRUE(loop.until([&] { return !log.closes.empty(); }));
    client.leave();
    expect_gone();
  }
}

TEST_F(websocket_session_test, ends_after_the_client_has_answered_its_close) {
  open();
  session->close(1012, "restart", close_reason::drain);
  EXPECT_TRUE(log.closes.empty()) << "never from inside the call";
  ASSERT_TRUE(loop.until([&] { return client.has("\x88\x09\x03\xf4restart"); }));
  client.send(client_frame(0x88, "\x03\xf4"));
  expect_close(1012, close_reason::drain);
  EXPECT_TRUE(loop.until([&] {
    client.receive();
    return client.is_over;
  }));
  client.leave();
  expect_gone();
}

TEST_F(websocket_session_test, closes_once) {
  open();
  session->close(1012, "first", close_reason::drain);
  session->close(1008, "second", close_reason::slow_consumer);
  expect_close(1012, close_reason::drain);
  ASSERT_TRUE(loop.until([&] { return client.has("first"); }));
  expect_gone();
  client.receive();
  EXPECT_EQ(client.got, "\x88\x07\x03\xf4"
                        "first");
}

TEST_F(websocket_session_test, ends_when_the_client_does_not_answer_its_close) {
  open();
  session->close(1000, "", close_reason::drain);
  expect_gone();
  EXPECT_EQ(log.closes.size(), 1U);
}

TEST_F(websocket_session_test, hands_on_no_message_once_it_is_closing) {
  open();
  log.on_each_message = [&] { session->close(1000, "", close_reason::drain); };
  client.send(client_frame(0x81, "1") + client_frame(0x81, "2") + client_frame(0x88, "\x03\xe8"));
  expect_close(1000, close_reason::drain);
  EXPECT_EQ(log.messages.size(), 1U);
  client.leave();
  expect_gone();
}

TEST_F(websocket_session_test, ends_at_once_when_aborted) {
  open();
  session->abort(close_reason::ping_timeout);
  session->abort(close_reason::drain);
  EXPECT_TRUE(log.closes.empty()) << "never from inside the call";
  expect_close(1006, close_reason::ping_timeout);
  EXPECT_TRUE(loop.until([&] {
    client.receive();
    return client.is_over;
  }));
  EXPECT_EQ(client.got, "") << "no close frame";
  expect_gone();
}

TEST_F(websocket_session_test, notices_that_the_client_is_gone) {
  open();
  client.leave();
  expect_close(1006, close_reason::abnormal);
  expect_gone();
}

TEST_F(websocket_session_test, refuses_a_message_over_its_limit) {
  open();
  client.send(client_frame(0x82, std::string(1001, 'x')));
  expect_close(1009, close_reason::too_big);
  ASSERT_TRUE(loop.until([&] { return client.has("\x88\x14\x03\xf1message is too big"); }));
  EXPECT_TRUE(log.messages.empty());
  client.leave();
  expect_gone();
}

TEST_F(websocket_session_test, refuses_fragments_that_are_over_its_limit_together) {
  open();
  client.send(client_frame(0x02, std::string(600, 'x'))
              + client_frame(0x80, std::string(401, 'x')));
  expect_close(1009, close_reason::too_big);
  client.leave();
  expect_gone();
}

TEST_F(websocket_session_test, refuses_text_cut_off_before_an_empty_last_fragment) {
  open();
  client.send(client_frame(0x01, "caf\xc3") + client_frame(0x80, ""));
  expect_close(1007, close_reason::bad_payload);
  EXPECT_TRUE(log.messages.empty());
  client.leave();
  expect_gone();
}

TEST_F(websocket_session_test, refuses_text_that_is_not_utf8) {
  open();
  client.send(client_frame(0x81, "\xc0\x80"));
  expect_close(1007, close_reason::bad_payload);
  client.leave();
  expect_gone();
}

TEST_F(websocket_session_test, refuses_a_length_with_the_highest_bit) {
  open();
  client.send("\x82\xff\x80\0\0\0\0\0\0\x01mask"s);
  expect_close(1002, close_reason::protocol_error);
  ASSERT_TRUE(loop.until([&] { return client.has("\x03\xea"); }));
  client.leave();
  expect_gone();
}

TEST_F(websocket_session_test, does_not_read_while_it_is_paused) {
  open();
  log.on_each_message = [&] { session->pause_reading(true); };
  client.send(client_frame(0x81, "1") + client_frame(0x81, "2"));
  ASSERT_TRUE(loop.until([&] { return log.messages.size() == 1; }));
  for (int i = 0; i < 5; ++i)
    loop.turn(1ms);
  EXPECT_EQ(log.messages.size(), 1U);
  session->pause_reading(false);
  EXPECT_TRUE(loop.until([&] { return log.messages.size() == 2; }));
}

/// Or one whose join is lost would never be ended: its socket is not watched yet.
TEST_F(websocket_session_test,
       has_not_been_heard_of_while_its_join_waits_though_it_has_said_something) {
  make("\x81");
  session->pause_reading(true);
  const auto heard = session->last_heard();
  loop.context.new_turn(heard + std::chrono::hours{1});
  EXPECT_EQ(session->last_heard(), heard);
}

TEST_F(websocket_session_test, counts_bytes_and_notes_when_it_heard_the_client) {
  open();
  const auto before = loop.context.metrics.received_bytes_total.value();
  const auto heard = session->last_heard();
  const auto frame = client_frame(0x8a, "");
  client.send(frame);
  ASSERT_TRUE(
    loop.until([&] { return loop.context.metrics.received_bytes_total.value() > before; }));
  EXPECT_EQ(loop.context.metrics.received_bytes_total.value() - before, frame.size());
  EXPECT_GT(session->last_heard(), heard) << "a pong counts";
}

TEST_F(websocket_session_test, leaves_nothing_when_it_is_dropped_before_it_was_opened) {
  make();
  expect_gone();
  EXPECT_TRUE(log.closes.empty());
  EXPECT_TRUE(loop.until([&] {
    client.receive();
    return client.is_over;
  }));
}

TEST_F(websocket_session_test, sends_an_empty_ping) {
  open();
  session->ping();
  EXPECT_TRUE(loop.until([&] { return client.has("\x89\x00"s); }));
  EXPECT_EQ(loop.context.metrics.pings_sent_total.value(), 1U);
}

} // namespace
} // namespace canang::net
