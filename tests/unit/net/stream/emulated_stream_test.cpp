#include "net/stream/emulated_stream.hpp"

#include "net/limits.hpp"
#include "net/protocol/centrifugo.hpp"
#include "tests/unit/support/loopback.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace canang::net {
namespace {

using namespace std::chrono_literals;
using outcomes = std::vector<emulation_outcome>;

struct emulated_stream_test : testing::Test {
  test::turning_loop loop{{.max_message_bytes = 1000,
                           .max_outbox_bytes = 64 << 10U,
                           .close_timeout = 300ms,
                           .slow_consumer_grace = 0ms}};
  test::raw_client client{tcp_socket{loop.io.get_executor()}};
  test::session_log log;
  session_ptr session;
  std::string secret;
  outcomes told;

  void make(header_fields fields = {}, const centrifugo_stream& as = centrifugo_json_lines()) {
    auto [server, other_end] = test::connected_pair(loop.io);
    client = std::move(other_end);
    session = make_emulated_stream(
      loop.context, {std::move(server), as.words, "first", std::move(fields), address_ticket{}});
    session->attach(std::make_unique<test::noting_handler>(log));
  }

  /// Opens, and takes the header off what the client got.
  std::string open() {
    session->open();
    secret = session->secret();
    session->pause_reading(false);
    EXPECT_TRUE(loop.until([&] { return client.has("\r\n\r\n") && !log.messages.empty(); }));
    const auto end = client.got.find("\r\n\r\n") + 4;
    const auto header = client.got.substr(0, end);
    client.got.erase(0, end);
    return header;
  }

  void make_open() {
    make();
    open();
    log.messages.clear();
  }

  void say(std::string message) {
    loop.context.emulated.take(secret, std::move(message),
                               [this](emulation_outcome outcome) { told.push_back(outcome); });
  }

  std::vector<std::string> heard() const {
    std::vector<std::string> all;
    for (const auto& [type, payload] : log.messages)
      all.push_back(payload);
    return all;
  }

  std::uint64_t inbox_bytes() const { return loop.context.metrics.inbox_bytes.value(); }

  void expect_close(std::uint16_t code, close_reason reason) {
    ASSERT_TRUE(loop.until([&] { return !log.closes.empty(); }));
    EXPECT_EQ(log.closes[0].code, code);
    EXPECT_EQ(to_string(log.closes[0].reason), to_string(reason));
  }

  void expect_gone() {
    session.reset();
    EXPECT_TRUE(loop.until([&] { return loop.context.metrics.connections.value() == 0; }));
    EXPECT_EQ(loop.context.metrics.outbox_bytes.value(), 0U);
    EXPECT_EQ(loop.context.metrics.outbox_memory_bytes.value(), 0U);
    EXPECT_EQ(inbox_bytes(), 0U);
    EXPECT_EQ(loop.context.emulated.size(), 0U);
    EXPECT_EQ(log.closes.size(), 1U);
  }

  bool is_over() {
    return loop.until([&] {
      client.receive();
      return client.is_over;
    });
  }
};

TEST_F(emulated_stream_test, begins_with_a_header_that_nobody_keeps_or_holds_back) {
  make({{"Access-Control-Allow-Origin", "https://a.example"}});
  EXPECT_EQ(session->secret(), "");
  EXPECT_TRUE(session->expects_pings());
  const auto header = open();
  EXPECT_TRUE(header.starts_with("HTTP/1.1 200 OK\r\n")) << header;
  for (const auto* line :
       {"\r\nContent-Type: application/json\r\n", "\r\nConnection: close\r\n",
        "\r\nCache-Control: no-cache, no-store, no-transform\r\n", "\r\nX-Accel-Buffering: no\r\n",
        "\r\nAccess-Control-Allow-Origin: https://a.example\r\n"})
    EXPECT_NE(header.find(line), std::string::npos) << line;
  EXPECT_EQ(header.find("Content-Length"), std::string::npos);
  EXPECT_EQ(header.find("Transfer-Encoding"), std::string::npos);
  EXPECT_EQ(heard(), std::vector<std::string>{"first"});
  EXPECT_EQ(log.messages[0].first, frame_type::text);
}

TEST_F(emulated_stream_test, hears_its_client_in_the_order_in_which_it_says_things) {
  make_open();
  EXPECT_EQ(loop_of_secret(secret), 0U);
  for (const auto* message : {"a", "b", "c"})
    say(message);
  EXPECT_EQ(heard(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(told, outcomes(3, emulation_outcome::taken));
  EXPECT_EQ(inbox_bytes(), 0U);
}

TEST_F(emulated_stream_test, what_is_said_before_its_first_message_was_read_waits_for_that) {
  make();
  session->open();
  secret = session->secret();
  session->pause_reading(false);
  say("second");
  EXPECT_EQ(told, outcomes{emulation_outcome::taken});
  EXPECT_TRUE(log.messages.empty());
  ASSERT_TRUE(loop.until([&] { return log.messages.size() == 2; }));
  EXPECT_EQ(heard(), (std::vector<std::string>{"first", "second"}));
}

TEST_F(emulated_stream_test, keeps_what_comes_while_it_is_not_read) {
  make_open();
  session->pause_reading(true);
  for (int i = 0; i < 10; ++i)
    say(std::to_string(i));
  EXPECT_EQ(told, outcomes(10, emulation_outcome::taken)) << "others share what brings it here";
  loop.turn(1ms);
  EXPECT_TRUE(log.messages.empty());
  EXPECT_GT(inbox_bytes(), 10U);
  EXPECT_TRUE(session->has_unread());
  session->pause_reading(false);
  EXPECT_TRUE(log.messages.empty()) << "not from inside of the call";
  ASSERT_TRUE(loop.until([&] { return log.messages.size() == 10; }));
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(heard()[static_cast<std::size_t>(i)], std::to_string(i));
  EXPECT_EQ(inbox_bytes(), 0U);
  EXPECT_FALSE(session->has_unread());
}

TEST_F(emulated_stream_test, pausing_in_the_middle_leaves_the_rest_waiting) {
  make_open();
  session->pause_reading(true);
  for (const auto* message : {"a", "b", "c"})
    say(message);
  log.on_each_message = [&] { session->pause_reading(log.messages.size() == 2); };
  session->pause_reading(false);
  ASSERT_TRUE(loop.until([&] { return log.messages.size() == 2; }));
  loop.turn(1ms);
  EXPECT_EQ(heard(), (std::vector<std::string>{"a", "b"}));
  say("d");
  session->pause_reading(false);
  ASSERT_TRUE(loop.until([&] { return log.messages.size() == 4; }));
  EXPECT_EQ(heard(), (std::vector<std::string>{"a", "b", "c", "d"}));
}

TEST_F(emulated_stream_test, is_busy_beyond_a_number_of_messages_and_a_number_of_bytes) {
  make_open();
  session->pause_reading(true);
  for (std::size_t i = 0; i < max_emulated_messages; ++i)
    say("x");
  EXPECT_EQ(told, outcomes(max_emulated_messages, emulation_outcome::taken));
  say("one too many");
  EXPECT_EQ(told.back(), emulation_outcome::busy);
  session->pause_reading(false);
  ASSERT_TRUE(loop.until([&] { return log.messages.size() == max_emulated_messages; }));
  loop.turn(1ms);
  EXPECT_EQ(log.messages.size(), max_emulated_messages);
  told.clear();
  session->pause_reading(true);
  say(std::string(max_emulated_bytes, 'x'));
  EXPECT_EQ(told, outcomes{emulation_outcome::taken}) << "the first one, whatever its size";
  say("y");
  EXPECT_EQ(told.back(), emulation_outcome::busy);
  EXPECT_LE(inbox_bytes(), 2 * max_emulated_bytes);
}

TEST_F(emulated_stream_test, says_when_it_closes_why_and_ends) {
  make_open();
  session->pause_reading(true);
  say("never heard");
  session->close(1012, "service restart", close_reason::drain);
  say("too late");
  EXPECT_EQ(told.back(), emulation_outcome::unknown);
  ASSERT_TRUE(is_over());
  EXPECT_EQ(client.got, R"({"push":{"disconnect":{"code":3001,"reason":"shutdown"}}})"
                        "\n");
  expect_close(3001, close_reason::drain);
  EXPECT_TRUE(log.messages.empty());
  client.leave();
  expect_gone();
}

TEST_F(emulated_stream_test, says_the_same_as_an_event) {
  make({}, centrifugo_json_events());
  const auto header = open();
  EXPECT_NE(header.find("\r\nContent-Type: text/event-stream\r\n"), std::string::npos);
  session->ping();
  session->close(3503, "force disconnect", close_reason::disconnected);
  ASSERT_TRUE(is_over());
  EXPECT_EQ(client.got, "data: {}\n\ndata: "
                        R"({"push":{"disconnect":{"code":3503,"reason":"force disconnect"}}})"
                        "\n\n");
}

TEST_F(emulated_stream_test, says_the_same_in_protobuf) {
  make({}, centrifugo_protobuf_stream());
  const auto header = open();
  EXPECT_NE(header.find("\r\nContent-Type: application/octet-stream\r\n"), std::string::npos);
  EXPECT_EQ(log.messages[0].first, frame_type::binary);
  session->ping();
  session->close(3001, "bye", close_reason::drain);
  ASSERT_TRUE(is_over());
  EXPECT_EQ(client.got, (std::string{"\0"
                                     "\x0c\x22\x0a\x5a\x08\x08\xb9\x17\x12\x03"
                                     "bye",
                                     14}));
}

TEST_F(emulated_stream_test, a_handler_may_close_while_it_hears) {
  make_open();
  log.on_each_message = [&] { session->close(3501, "bad request", close_reason::protocol_error); };
  say("bad");
  EXPECT_EQ(told, outcomes{emulation_outcome::taken});
  say("more");
  EXPECT_EQ(told.back(), emulation_outcome::unknown);
  ASSERT_TRUE(is_over());
  client.leave();
  expect_close(3501, close_reason::protocol_error);
  expect_gone();
}

TEST_F(emulated_stream_test, ends_when_the_client_has_gone) {
  make_open();
  session->pause_reading(true);
  say("never heard");
  client.leave();
  expect_close(1005, close_reason::normal);
  say("too late");
  EXPECT_EQ(told, (outcomes{emulation_outcome::taken, emulation_outcome::unknown}));
  expect_gone();
}

TEST_F(emulated_stream_test, is_alive_by_what_its_client_says_not_by_bytes_on_the_connection) {
  make_open();
  const auto before = session->last_heard();
  ASSERT_TRUE(loop.until([&] { return loop.context.now() > before; }));
  client.send("garbage that is no request");
  ASSERT_TRUE(loop.until([&] { return loop.context.metrics.received_bytes_total.value() >= 26; }));
  EXPECT_EQ(session->last_heard(), before);
  say("{}");
  EXPECT_GT(session->last_heard(), before);
  EXPECT_TRUE(session->is_open());
}

TEST_F(emulated_stream_test, is_alive_while_what_it_said_is_not_read) {
  make_open();
  session->pause_reading(true);
  say("waits");
  const auto before = session->last_heard();
  ASSERT_TRUE(loop.until([&] { return loop.context.now() > before; }));
  EXPECT_GT(session->last_heard(), before);
}

TEST_F(emulated_stream_test, refuses_instead_of_opening) {
  make();
  session->refuse(reject_reason::unavailable);
  ASSERT_TRUE(is_over());
  EXPECT_TRUE(client.got.starts_with("HTTP/1.1 503 ")) << client.got;
  EXPECT_NE(client.got.find("\r\nRetry-After: 1\r\n"), std::string::npos);
  client.leave();
  expect_gone();
}

TEST_F(emulated_stream_test, one_that_was_never_opened_leaves_nothing_behind) {
  make();
  session->abort(close_reason::drain);
  expect_gone();
}

} // namespace
} // namespace canang::net
