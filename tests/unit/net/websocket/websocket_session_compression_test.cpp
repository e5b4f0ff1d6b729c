// What a session makes of compressed messages (RFC 7692, 6 and 7.2.2): what it hands on, what it refuses, and what
// that may cost.

#include "net/websocket/session.hpp"
#include "tests/unit/support/deflated.hpp"
#include "tests/unit/support/loopback.hpp"

#include <gtest/gtest.h>

#include <set>

namespace canang::net {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using test::client_frame;
using test::deflated;
using test::some_json;

constexpr int rsv1 = 0x40;
constexpr int whole_text = 0x81;
constexpr int whole_binary = 0x82;
constexpr int first_text = 0x01;
constexpr int first_binary = 0x02;
constexpr int middle = 0x00;
constexpr int last = 0x80;

struct websocket_session_compression_test : testing::Test {
  static constexpr std::size_t limit = 20'000;

  test::turning_loop loop{{limit, 1 << 20U, 200ms, 200ms}};
  test::raw_client client{tcp_socket{loop.io.get_executor()}};
  test::session_log log;
  session_ptr session;

  /// Opens, and reads the answer of the handshake off the client.
  void open(bool may_be_compressed = true) {
    log = {};
    auto [server, other_end] = test::connected_pair(loop.io);
    client = std::move(other_end);
    websocket_upgrade upgrade{std::move(server), test::handshake(), {}};
    upgrade.may_be_compressed = may_be_compressed;
    upgrade.extensions = may_be_compressed ? "permessage-deflate" : "";
    session = make_websocket_session(loop.context, std::move(upgrade));
    session->attach(std::make_unique<test::noting_handler>(log));
    session->open();
    ASSERT_TRUE(loop.until([&] { return client.has("\r\n\r\n"); }));
    EXPECT_EQ(client.got.find("\r\nSec-WebSocket-Extensions: permessage-deflate\r\n")
                != std::string::npos,
              may_be_compressed);
    client.got.clear();
  }

  void expect_closed_with(std::uint16_t code, close_reason reason) {
    ASSERT_TRUE(loop.until([&] { return !log.closes.empty(); }));
    EXPECT_EQ(log.closes[0].code, code);
    EXPECT_EQ(to_string(log.closes[0].reason), to_string(reason));
    EXPECT_TRUE(loop.until([&] {
      client.receive();
      return client.is_over;
    }));
    const auto frames = test::server_frames(client.got);
    ASSERT_FALSE(frames.empty());
    EXPECT_EQ(frames.back().first_byte, 0x88U);
  }

  /// So that the log is the next session's alone.
  void end() {
    session->abort(close_reason::drain);
    EXPECT_TRUE(loop.until([&] { return !log.closes.empty(); }));
  }

  /// What a client is told of its bytes: the code, or 0 where nothing is wrong with them.
  std::uint16_t code_for(const std::string& bytes) {
    open();
    client.send(bytes + client_frame(whole_text, "still here"));
    EXPECT_TRUE(loop.until([&] {
      return !log.closes.empty()
             || (!log.messages.empty() && log.messages.back().second == "still here");
    }));
    const auto code = log.closes.empty() ? std::uint16_t{0} : log.closes[0].code;
    end();
    return code;
  }

  /// All messages, whatever pieces the bytes come in.
  std::vector<std::pair<frame_type, std::string>> heard_in(const std::vector<std::string>& pieces) {
    open();
    for (const auto& piece : pieces) {
      client.send(piece);
      loop.turn(0ms);
    }
    client.send(client_frame(whole_text, "end"));
    EXPECT_TRUE(loop.until([&] {
      return !log.closes.empty() || (!log.messages.empty() && log.messages.back().second == "end");
    }));
    end();
    return log.messages;
  }
};

TEST_F(websocket_session_compression_test, hands_on_what_was_compressed_and_what_was_not) {
  open();
  client.send(client_frame(whole_text | rsv1, deflated(some_json(5000)))
              + client_frame(whole_text, "as it is") + client_frame(whole_binary | rsv1, "\0"s)
              + client_frame(whole_binary | rsv1, deflated("\xff\xfe")));
  ASSERT_TRUE(loop.until([&] { return log.messages.size() == 4; }));
  EXPECT_EQ(log.messages[0], (std::pair{frame_type::text, some_json(5000)}));
  EXPECT_EQ(log.messages[1], (std::pair{frame_type::text, "as it is"s}));
  EXPECT_EQ(log.messages[2], (std::pair{frame_type::binary, ""s}));
  EXPECT_EQ(log.messages[3], (std::pair{frame_type::binary, "\xff\xfe"s}));
}

TEST_F(websocket_session_compression_test, rfc_7692_6_1_joins_fragments_with_pings_between_them) {
  const auto packed = deflated(some_json(900));
  open();
  client.send(client_frame(first_text | rsv1, "") + client_frame(middle, packed.substr(0, 7))
              + client_frame(0x89, "ping") + client_frame(middle, packed.substr(7, 20))
              + client_frame(middle, "") + client_frame(last, packed.substr(27)));
  ASSERT_TRUE(loop.until([&] { return log.messages.size() == 1; }));
  EXPECT_EQ(log.messages[0].second, some_json(900));
  EXPECT_TRUE(loop.until([&] { return client.has("\x8a\x04ping"); }));
  EXPECT_EQ(loop.context.metrics.inbox_bytes.value(), 0U);
}

TEST_F(websocket_session_compression_test, says_the_same_wherever_a_conversation_is_cut) {
  const auto packed = deflated(some_json(300));
  const auto stream = client_frame(whole_text | rsv1, packed) + client_frame(whole_text, "plain")
                      + client_frame(first_text | rsv1, packed.substr(0, 11))
                      + client_frame(0x89, "p") + client_frame(last, packed.substr(11))
                      + client_frame(whole_binary | rsv1, deflated("\xff"));
  const auto expected = heard_in({stream});
  ASSERT_EQ(expected.size(), 5U);
  for (std::size_t cut = 1; cut < stream.size(); ++cut)
    ASSERT_EQ(heard_in({stream.substr(0, cut), stream.substr(cut)}), expected) << cut;
}

TEST_F(websocket_session_compression_test, rfc_7692_6_refuses_rsv1_where_it_means_nothing) {
  const auto packed = deflated("hello");
  EXPECT_EQ(code_for(client_frame(whole_text | rsv1, packed)), 0);
  EXPECT_EQ(code_for(client_frame(0x89 | rsv1, "")), 1002) << "a ping";
  EXPECT_EQ(code_for(client_frame(0x8a | rsv1, "")), 1002) << "a pong";
  EXPECT_EQ(code_for(client_frame(0x88 | rsv1, "")), 1002) << "a close";
  EXPECT_EQ(code_for(client_frame(first_text | rsv1, packed) + client_frame(last | rsv1, "")),
            1002);
  EXPECT_EQ(code_for(client_frame(first_text, "h") + client_frame(last | rsv1, packed)), 1002);
  EXPECT_EQ(code_for(client_frame(whole_text | 0x20, packed)), 1002) << "RSV2";
  EXPECT_EQ(code_for(client_frame(whole_text | rsv1 | 0x10, packed)), 1002) << "RSV3";
}

TEST_F(websocket_session_compression_test, refuses_rsv1_where_nothing_was_agreed_on) {
  open(false);
  client.send(client_frame(whole_text | rsv1, deflated("hello")));
  expect_closed_with(1002, close_reason::protocol_error);
  EXPECT_TRUE(log.messages.empty());
}

TEST_F(websocket_session_compression_test, closes_with_1007_for_what_is_no_deflate_data) {
  open();
  client.send(client_frame(whole_binary | rsv1, "not deflate data"));
  expect_closed_with(1007, close_reason::bad_payload);
  EXPECT_EQ(code_for(client_frame(whole_text | rsv1, deflated(some_json(500)).substr(0, 50))),
            1007);
  EXPECT_EQ(code_for(client_frame(whole_text | rsv1, deflated("\xff"))), 1007) << "no text";
  EXPECT_EQ(code_for(client_frame(whole_binary | rsv1, deflated("\xff"))), 0);
}

TEST_F(websocket_session_compression_test, closes_with_1009_for_what_becomes_too_big) {
  open();
  client.send(client_frame(whole_binary | rsv1, deflated(std::string(limit + 1, 'a'))));
  expect_closed_with(1009, close_reason::too_big);
  EXPECT_TRUE(log.messages.empty());
  EXPECT_EQ(code_for(client_frame(whole_binary | rsv1, deflated(std::string(limit, 'a')))), 0);
  EXPECT_EQ(code_for(client_frame(whole_binary | rsv1, deflated(std::string(64U << 20U, 'a')))),
            1009);
}

TEST_F(websocket_session_compression_test, takes_a_message_of_the_limit_that_did_not_shrink) {
  const auto packed = deflated(test::noise(limit), 15, 0);
  ASSERT_GT(packed.size(), limit);
  EXPECT_EQ(code_for(client_frame(whole_binary | rsv1, packed)), 0);
  EXPECT_EQ(code_for(client_frame(whole_binary, test::noise(limit + 1))), 1009);
}

TEST_F(websocket_session_compression_test, counts_what_has_come_of_a_message_as_it_came) {
  const auto packed = deflated(std::string(limit, 'a'));
  open();
  client.send(client_frame(first_text | rsv1, packed));
  ASSERT_TRUE(loop.until([&] { return log.frames == 1; }));
  EXPECT_LT(loop.context.metrics.inbox_bytes.value(), 1000U) << "it is not inflated before its end";
  client.send(client_frame(last, ""));
  ASSERT_TRUE(loop.until([&] { return log.messages.size() == 1; }));
  EXPECT_EQ(log.messages[0].second, std::string(limit, 'a'));
  EXPECT_EQ(loop.context.metrics.inbox_bytes.value(), 0U);
}

TEST_F(websocket_session_compression_test,
       what_is_longer_than_its_message_is_not_copied_for_each_byte) {
  const auto packed = deflated(test::noise(limit), 15, 0);
  ASSERT_GT(packed.size(), limit);
  open();
  client.send(client_frame(first_binary | rsv1, packed.substr(0, limit - 100)));
  ASSERT_TRUE(loop.until([&] { return log.frames == 1; }));
  std::set<std::uint64_t> sizes;
  for (std::size_t i = limit - 100; i < limit + 5; ++i) {
    client.send(client_frame(middle, packed.substr(i, 1)));
    const auto frames = log.frames;
    ASSERT_TRUE(loop.until([&] { return log.frames > frames; }));
    sizes.insert(loop.context.metrics.inbox_bytes.value());
  }
  EXPECT_LE(sizes.size(), 2U) << "memory grows by a part of what there is";
  client.send(client_frame(last, packed.substr(limit + 5)));
  ASSERT_TRUE(loop.until([&] { return !log.messages.empty(); }));
  EXPECT_EQ(log.messages[0].second, test::noise(limit));
}

/// A client that sends bombs within its limit has its share of each turn, and others are read beside it.
TEST_F(websocket_session_compression_test, inflates_no_more_in_a_turn_than_it_reads) {
  open();
  const auto bomb = client_frame(whole_binary | rsv1, deflated(std::string(limit, 'a')));
  constexpr std::size_t count = 60;
  std::string all;
  for (std::size_t i = 0; i < count; ++i)
    all += bomb;
  ASSERT_LT(all.size(), 4096U) << "all of it comes in one read";
  client.send(all);
  constexpr auto share = max_inflated_bytes_a_turn / limit + 1;
  std::size_t before = 0;
  std::size_t turns = 0;
  while (log.messages.size() < count && turns < 100) {
    loop.turn(10ms);
    EXPECT_LE(log.messages.size() - before, share);
    turns += log.messages.size() > before ? 1U : 0U;
    before = log.messages.size();
  }
  EXPECT_EQ(log.messages.size(), count);
  EXPECT_GE(turns, count / share);
}

TEST_F(websocket_session_compression_test, inflates_nothing_once_reading_is_paused) {
  open();
  log.on_each_message = [&] { session->pause_reading(true); };
  client.send(client_frame(whole_text | rsv1, deflated("one"))
              + client_frame(whole_text | rsv1, deflated("two")));
  ASSERT_TRUE(loop.until([&] { return log.messages.size() == 1; }));
  for (int i = 0; i < 3; ++i)
    loop.turn(0ms);
  EXPECT_EQ(log.messages.size(), 1U);
  session->pause_reading(false);
  ASSERT_TRUE(loop.until([&] { return log.messages.size() == 2; }));
  EXPECT_EQ(log.messages[1].second, "two");
}

} // namespace
} // namespace canang::net
