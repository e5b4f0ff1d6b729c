// How a session reads its socket: the rules of edge triggering, shares of a turn, and what it may hold.

#include "net/websocket/session.hpp"
#include "tests/unit/support/loopback.hpp"
#include "tests/unit/support/tls_layer.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using test::client_frame;

/// A client that is connected to a session of its own.
class peer {
  test::turning_loop& loop_; // first: the client's socket is made with it

public:
  explicit peer(test::turning_loop& loop, std::unique_ptr<byte_layer> layer = nullptr)
    : loop_(loop) {
    auto [server, other_end] = test::connected_pair(loop.io);
    client = std::move(other_end);
    session = make_websocket_session(
      loop.context, {std::move(server), test::handshake(), {}, {}, std::move(layer)});
    session->attach(std::make_unique<test::noting_handler>(log));
    session->open();
  }

  /// Reads the answer to the handshake off the client.
  void be_open() {
    ASSERT_TRUE(loop_.until([&] { return client.has("\r\n\r\n"); }));
    client.got.erase(0, client.got.find("\r\n\r\n") + 4);
  }

  test::raw_client client{tcp_socket{loop_.io.get_executor()}};
  test::session_log log;
  session_ptr session;
};

struct websocket_session_reading_test : testing::Test {
  static constexpr std::size_t limit = 1024 * 1024;

  test::turning_loop loop{{limit, 4 * limit, 10s, 200ms}};

  [[nodiscard]] std::uint64_t received() const {
    return loop.context.metrics.received_bytes_total.value();
  }

  void one_turn() { loop.turn(10ms); }
};

TEST_F(websocket_session_reading_test, takes_the_last_message_that_comes_with_a_fin) {
  peer one{loop};
  one.be_open();
  one.client.send(client_frame(0x81, "last words"));
  one.client.socket().shutdown(tcp_socket::shutdown_send);
  ASSERT_TRUE(loop.until([&] { return !one.log.closes.empty(); }));
  ASSERT_EQ(one.log.messages.size(), 1U);
  EXPECT_EQ(one.log.messages[0].second, "last words");
  EXPECT_EQ(one.log.closes[0].code, 1006) << "half a close without a close frame is an end";
}

TEST_F(websocket_session_reading_test, takes_many_messages_that_come_with_a_fin) {
  peer one{loop};
  one.be_open();
  std::string all;
  for (int i = 0; i < 3000; ++i)
    all += client_frame(0x81, std::to_string(i));
  one.client.send(all);
  one.client.socket().shutdown(tcp_socket::shutdown_send);
  ASSERT_TRUE(loop.until([&] { return !one.log.closes.empty(); }));
  ASSERT_EQ(one.log.messages.size(), 3000U);
  EXPECT_EQ(one.log.messages.back().second, "2999");
}

TEST_F(websocket_session_reading_test, ends_with_a_reset) {
  peer one{loop};
  one.be_open();
  one.client.socket().set_option(boost::asio::socket_base::linger{true, 0});
  one.client.leave();
  ASSERT_TRUE(loop.until([&] { return !one.log.closes.empty(); }));
  EXPECT_EQ(one.log.closes[0].code, 1006);
}

TEST_F(websocket_session_reading_test, counts_what_came_right_behind_the_handshake_once) {
  const auto frame = client_frame(0x81, "in a hurry");
  const auto before = received();
  auto [server, other_end] = test::connected_pair(loop.io);
  test::session_log log;
  const auto session =
    make_websocket_session(loop.context, {std::move(server), test::handshake(), frame});
  session->attach(std::make_unique<test::noting_handler>(log));
  session->open();
  ASSERT_TRUE(loop.until([&] { return log.messages.size() == 1; }));
  EXPECT_EQ(received() - before, frame.size());
}

TEST_F(websocket_session_reading_test, takes_what_lies_behind_urgent_data) {
  peer one{loop};
  one.be_open();
  for (int i = 0; i < 3; ++i) { // the urgent byte itself is no part of the stream
    one.client.send(client_frame(0x81, "in front"));
    ASSERT_EQ(::send(one.client.socket().native_handle(), "!", 1, MSG_OOB), 1);
    one.client.send(client_frame(0x81, "behind"));
    const auto expected = static_cast<std::size_t>(i) * 2 + 2;
    EXPECT_TRUE(loop.until([&] { return one.log.messages.size() == expected; }));
  }
  EXPECT_TRUE(one.session->is_open());
}

TEST_F(websocket_session_reading_test, takes_what_is_larger_than_what_it_reads_at_once) {
  peer one{loop};
  one.be_open();
  std::string large(700'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i)
    large[i] = static_cast<char>(i * 7 + i / 255);
  std::string_view rest;
  const auto frame = client_frame(0x82, large) + client_frame(0x81, "behind it");
  rest = frame;
  ASSERT_TRUE(loop.until([&] {
    const auto sent = ::send(one.client.socket().native_handle(), rest.data(), rest.size(),
                             MSG_NOSIGNAL | MSG_DONTWAIT);
    rest.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
    return one.log.messages.size() == 2;
  }));
  EXPECT_EQ(one.log.messages[0].second, large);
  EXPECT_EQ(one.log.messages[1].second, "behind it");
}

TEST_F(websocket_session_reading_test, takes_a_conversation_that_comes_byte_by_byte) {
  peer one{loop};
  one.be_open();
  const auto all = client_frame(0x01, "frag") + client_frame(0x89, "are you there")
                   + client_frame(0x80, std::string(200, 'x')) + client_frame(0x82, "")
                   + client_frame(0x88, "\x03\xe8"
                                        "good bye");
  for (const char byte : all) {
    one.client.send({&byte, 1});
    one_turn();
  }
  ASSERT_TRUE(loop.until([&] { return !one.log.closes.empty(); }));
  ASSERT_EQ(one.log.messages.size(), 2U);
  EXPECT_EQ(one.log.messages[0].second, "frag" + std::string(200, 'x'));
  EXPECT_EQ(one.log.messages[1].second, "");
  one.client.receive();
  EXPECT_EQ(one.client.got, "\x8a\x0d"
                            "are you there"
                            "\x88\x0a\x03\xe8"
                            "good bye");
}

TEST_F(websocket_session_reading_test, holds_4_kib_at_most_while_it_is_paused) {
  peer one{loop};
  one.be_open();
  one.log.on_each_message = [&] { one.session->pause_reading(true); };
  const auto before = received();
  const auto frame = client_frame(0x81, "0123456789");
  std::string flood;
  for (int i = 0; i < 10'000; ++i)
    flood += frame;
  one.client.send(flood);
  ASSERT_TRUE(loop.until([&] { return one.log.messages.size() == 1; }));
  for (int i = 0; i < 10; ++i)
    one_turn();
  EXPECT_EQ(one.log.messages.size(), 1U);
  EXPECT_LE(received() - before, read_ahead_bytes);

  one.log.on_each_message = {};
  one.session->pause_reading(false);
  EXPECT_TRUE(loop.until([&] { return one.log.messages.size() == 10'000; }));
}

TEST_F(websocket_session_reading_test, goes_on_with_what_came_while_it_was_paused) {
  peer one{loop};
  one.be_open();
  one.session->pause_reading(true);
  one.client.send(client_frame(0x81, "patience"));
  for (int i = 0; i < 3; ++i)
    one_turn();
  one.client.send(client_frame(0x81, "rewarded"));
  one.client.socket().shutdown(tcp_socket::shutdown_send);
  for (int i = 0; i < 3; ++i)
    one_turn();
  EXPECT_TRUE(one.log.messages.empty());
  EXPECT_TRUE(one.log.closes.empty());
  one.session->pause_reading(false);
  ASSERT_TRUE(loop.until([&] { return !one.log.closes.empty(); }));
  EXPECT_EQ(one.log.messages.size(), 2U);
}

TEST_F(websocket_session_reading_test, pauses_and_goes_on_within_one_turn) {
  peer one{loop};
  one.be_open();
  one.log.on_each_message = [&] {
    one.session->pause_reading(true);
    one.session->pause_reading(false);
  };
  std::string all;
  for (int i = 0; i < 1000; ++i)
    all += client_frame(0x81, std::to_string(i));
  one.client.send(all);
  ASSERT_TRUE(loop.until([&] { return one.log.messages.size() == 1000; }));
  for (std::size_t i = 0; i < 1000; ++i)
    EXPECT_EQ(one.log.messages[i].second, std::to_string(i));
}

TEST_F(websocket_session_reading_test, answers_all_pings_of_a_flood_in_order_and_few_writes) {
  peer one{loop};
  one.be_open();
  std::string pings;
  std::string pongs;
  for (int i = 0; i < 2000; ++i) {
    const auto text = std::to_string(i);
    pings += client_frame(0x89, text);
    pongs += '\x8a';
    pongs += static_cast<char>(text.size());
    pongs += text;
  }
  one.client.send(pings);
  EXPECT_TRUE(loop.until([&] {
    one.client.receive();
    return one.client.got.size() >= pongs.size();
  }));
  EXPECT_EQ(one.client.got, pongs);
}

TEST_F(websocket_session_reading_test, tells_of_frames_that_are_no_message_and_of_no_part_of_one) {
  peer one{loop};
  one.be_open();
  one.client.send(client_frame(0x89, "ping") + client_frame(0x8a, "pong") + client_frame(0x01, "a")
                  + client_frame(0x00, "") + client_frame(0x80, "b"));
  ASSERT_TRUE(loop.until([&] { return one.log.messages.size() == 1; }));
  EXPECT_EQ(one.log.frames, 4) << "ping, pong and two fragments before the last one";
  const auto large = client_frame(0x82, std::string(limit, 'x'));
  one.client.send(large.substr(0, 10));
  for (int i = 0; i < 3; ++i)
    one_turn();
  one.client.send(large.substr(10, 10'000));
  for (int i = 0; i < 3; ++i)
    one_turn();
  for (std::size_t sent = 10'010; sent < large.size(); sent += 65'536) {
    one.client.send(large.substr(sent, 65'536));
    one_turn();
  }
  ASSERT_TRUE(loop.until([&] { return one.log.messages.size() == 2; }));
  EXPECT_EQ(one.log.frames, 4) << "one frame, in however many pieces it was read";
}

TEST_F(websocket_session_reading_test, hears_a_client_that_it_may_not_read) {
  peer one{loop};
  one.be_open();
  one.session->pause_reading(true);
  one_turn();
  EXPECT_FALSE(one.session->has_unread());
  const auto silent_since = one.session->last_heard();
  one.client.send(client_frame(0x8a, ""));
  ASSERT_TRUE(loop.until([&] { return one.session->has_unread(); }));
  loop.context.new_turn(silent_since + 1h);
  EXPECT_EQ(one.session->last_heard(), silent_since + 1h) << "it is there, we do not read it";
  one.session->pause_reading(false);
  ASSERT_TRUE(loop.until([&] { return !one.session->has_unread(); }));
  EXPECT_LT(one.session->last_heard(), silent_since + 1min);
}

TEST_F(websocket_session_reading_test, takes_no_more_than_its_share_of_a_turn) {
  peer flood{loop};
  peer quiet{loop};
  flood.be_open();
  quiet.be_open();
  std::string pings;
  for (int i = 0; i < 8000; ++i)
    pings += client_frame(0x8a, "");
  flood.client.send(pings);
  quiet.client.send(client_frame(0x81, "hello"));
  const auto before = received();
  one_turn();
  EXPECT_EQ(quiet.log.messages.size(), 1U) << "in the same turn";
  const auto first_turn = received() - before;
  EXPECT_LT(first_turn, pings.size() / 2);
  EXPECT_TRUE(loop.until([&] { return received() - before > pings.size(); }));
}

TEST_F(websocket_session_reading_test, writes_on_when_there_is_room_again) {
  peer one{loop};
  one.be_open();
  const auto block = loop.context.buffers.make(std::string(limit, 'x'));
  std::size_t sent = 0;
  while (one.session->send(block, 0, block->size()) == send_status::sent)
    sent += block->size();
  sent += block->size();
  EXPECT_GT(loop.context.metrics.outbox_bytes.value(), 0U);
  for (int i = 0; i < 3; ++i)
    one_turn();
  EXPECT_GT(loop.context.metrics.outbox_bytes.value(), 0U) << "there is no room yet";
  EXPECT_TRUE(loop.until([&] {
    one.client.receive();
    return one.client.got.size() == sent;
  }));
  EXPECT_EQ(loop.context.metrics.outbox_bytes.value(), 0U);
}

TEST_F(websocket_session_reading_test, reads_while_its_outbox_waits_for_room) {
  peer one{loop};
  one.be_open();
  const auto block = loop.context.buffers.make(std::string(limit, 'x'));
  while (one.session->send(block, 0, block->size()) == send_status::sent) {
  }
  one.client.send(client_frame(0x81, "still here"));
  EXPECT_TRUE(loop.until([&] { return one.log.messages.size() == 1; }));
  EXPECT_TRUE(one.session->is_open());
}

TEST_F(websocket_session_reading_test, discards_a_flood_behind_a_fault_and_ends) {
  peer one{loop};
  one.be_open();
  one.client.send(client_frame(0x83, "what is this") + std::string(200'000, 'x'));
  ASSERT_TRUE(loop.until([&] { return !one.log.closes.empty(); }));
  EXPECT_EQ(one.log.closes[0].code, 1002);
  EXPECT_TRUE(loop.until([&] {
    return one.client.has("\x88\x10\x03\xea"
                          "unknown opcode");
  }))
    << "not lost to a RST";
  one.client.leave();
  one.session.reset();
  EXPECT_TRUE(loop.until([&] { return loop.context.metrics.connections.value() == 0; }));
}

TEST_F(websocket_session_reading_test, sends_its_close_though_the_client_answers_with_garbage) {
  peer one{loop};
  one.be_open();
  one.session->close(1012, "service restart", close_reason::drain);
  one.client.send(std::string(100, '\xff'));
  EXPECT_TRUE(loop.until([&] {
    return one.client.has("\x88\x11\x03\xf4"
                          "service restart")
           && one.client.is_over;
  }));
  one.client.leave();
  one.session.reset();
  EXPECT_TRUE(loop.until([&] { return loop.context.metrics.connections.value() == 0; }));
}

/// Its answer does not fit any more, so it is closed as a slow consumer; but both sides have sent a close
/// frame then, and the server is to end the connection as soon as all has been read (RFC 6455, 7.1.1).
struct full_outbox_test : websocket_session_reading_test {
  static constexpr std::size_t outbox_limit = 4 * limit;

  test::turning_loop patient{{.max_message_bytes = limit,
                              .max_outbox_bytes = outbox_limit,
                              .close_timeout = 60s,
                              .slow_consumer_grace = 0ms}};
  peer one{patient};

  [[nodiscard]] std::size_t waiting() const { return patient.context.metrics.outbox_bytes.value(); }

  /// Fills the outbox until not even a close frame fits behind what waits.
  void fill() {
    one.be_open();
    auto block = patient.context.buffers.make(std::string(limit, 'x'));
    while (waiting() == 0) {
      ASSERT_NE(one.session->send(block, 0, block->size()), send_status::dropped);
      patient.turn(1ms); // until the kernel takes no more on its own
    }
    const auto first = waiting();
    const auto cost_of_close = slice_overhead_bytes + 4;
    while (waiting() - first + cost_of_close <= outbox_limit) {
      const auto room = outbox_limit - (waiting() - first) - slice_overhead_bytes;
      const auto size = std::min(room, limit / 3); // copied, so that it counts with its bytes
      ASSERT_EQ(one.session->send(block, 0, size), send_status::queued);
    }
  }

  void expect_end() {
    ASSERT_TRUE(patient.until([&] { return !one.log.closes.empty(); })) << "nothing was read yet";
    EXPECT_TRUE(patient.until([&] {
      one.client.receive();
      return one.client.is_over;
    }));
    EXPECT_TRUE(one.client.got.ends_with("\x88\x0f\x03\xf0"
                                         "slow consumer"));
    ASSERT_EQ(one.log.closes.size(), 1U);
    EXPECT_EQ(one.log.closes[0].code, 1008);
  }
};

TEST_F(full_outbox_test, ends_the_connection_after_the_clients_close) {
  fill();
  one.client.send(client_frame(0x88, "\x03\xe8"));
  expect_end();
}

TEST_F(full_outbox_test, ends_the_connection_after_the_clients_fault) {
  fill();
  one.client.send(client_frame(0x81, "\xff"));
  expect_end();
}

/// What TLS will do: records in memory BIOs, fed from where the session reads to.
TEST_F(websocket_session_reading_test, speaks_through_a_layer_between_it_and_its_socket) {
  test::tls_pair tls;
  peer one{loop, tls.take_server_layer()};
  const auto talk = [&](std::string_view bytes) { one.client.send(tls.encrypt(bytes)); };
  std::string clear;
  const auto hears = [&](std::string_view text) {
    one.client.receive();
    clear += tls.decrypt(std::exchange(one.client.got, {}));
    return clear.find(text) != std::string::npos;
  };
  ASSERT_TRUE(loop.until([&] { return hears("\r\n\r\n"); }));
  EXPECT_TRUE(clear.starts_with("HTTP/1.1 101 "));
  EXPECT_LT(loop.context.lanes.descriptor(one.session->lane()), 0)
    << "not to be written to directly";

  std::string all;
  for (int i = 0; i < 500; ++i)
    all += client_frame(0x81, std::to_string(i));
  talk(all + client_frame(0x82, std::string(100'000, 'b')));
  ASSERT_TRUE(loop.until([&] { return one.log.messages.size() == 501; }));
  EXPECT_EQ(one.log.messages[499].second, "499");
  EXPECT_EQ(one.log.messages[500].second, std::string(100'000, 'b'));

  const auto block = loop.context.buffers.make(std::string(limit, 'x'));
  clear.clear();
  std::size_t sent = block->size();
  while (one.session->send(block, 0, block->size()) == send_status::sent)
    sent += block->size();
  EXPECT_TRUE(loop.until([&] {
    hears("?");
    return clear.size() == sent;
  }));
  talk(client_frame(0x88, "\x03\xe8"));
  EXPECT_TRUE(loop.until([&] { return hears("\x88\x02\x03\xe8"); }));
  EXPECT_TRUE(loop.until([&] { return !one.log.closes.empty(); }));
}

} // namespace
} // namespace canang::net
