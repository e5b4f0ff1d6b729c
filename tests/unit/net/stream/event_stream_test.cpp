#include "net/stream/event_stream.hpp"

#include "net/stream/room_ids_layer.hpp"
#include "tests/unit/support/list_source.hpp"
#include "tests/unit/support/loopback.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <set>

namespace canang::net {
namespace {

using namespace std::chrono_literals;

struct event_stream_test : testing::Test {
  static constexpr std::size_t limit = 64 << 10U;

  test::turning_loop loop{{.max_message_bytes = 1000,
                           .max_outbox_bytes = limit,
                           .close_timeout = 300ms,
                           .slow_consumer_grace = 0ms}};
  test::raw_client client{tcp_socket{loop.io.get_executor()}};
  test::session_log log;
  session_ptr session;

  void make(event_stream_request&& asked, int receive_buffer = 0) {
    auto [server, other_end] = test::connected_pair(loop.io, receive_buffer);
    if (receive_buffer > 0)
      server.set_option(boost::asio::socket_base::send_buffer_size{receive_buffer});
    client = std::move(other_end);
    asked.socket = std::move(server);
    session = make_event_stream(loop.context, std::move(asked));
    session->attach(std::make_unique<test::noting_handler>(log));
  }
  void make() { make(event_stream_request{tcp_socket{loop.io.get_executor()}}); }

  /// Opens, and takes the header off what the client got.
  std::string open() {
    session->open();
    EXPECT_TRUE(loop.until([&] { return client.has("\r\n\r\nretry: ") && client.has("\n\n"); }));
    const auto end = client.got.find("\r\n\r\n") + 4;
    const auto header = client.got.substr(0, end);
    client.got.erase(0, end);
    return header;
  }

  void open_after_header(int receive_buffer = 0) {
    make(event_stream_request{tcp_socket{loop.io.get_executor()}}, receive_buffer);
    open();
    client.got.clear();
  }

  frame_buffer_ptr event(std::string_view data) {
    return loop.context.buffers.make("data: " + std::string{data} + "\n\n");
  }

  send_status send(std::string_view data) {
    const auto buffer = event(data);
    return session->send(buffer, 0, buffer->size());
  }

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
    EXPECT_LE(log.closes.size(), 1U);
  }

  bool is_over() {
    return loop.until([&] {
      client.receive();
      return client.is_over;
    });
  }
};

TEST_F(event_stream_test, begins_with_a_header_that_nobody_keeps_or_holds_back) {
  make();
  EXPECT_FALSE(session->is_open());
  EXPECT_EQ(send("too early"), send_status::dropped);
  const auto header = open();
  EXPECT_TRUE(session->is_open());
  EXPECT_TRUE(header.starts_with("HTTP/1.1 200 OK\r\n")) << header;
  for (const auto* line :
       {"\r\nContent-Type: text/event-stream\r\n", "\r\nConnection: close\r\n",
        "\r\nCache-Control: no-cache, no-store, no-transform\r\n", "\r\nX-Accel-Buffering: no\r\n"})
    EXPECT_NE(header.find(line), std::string::npos) << line;
  EXPECT_EQ(header.find("Content-Length"), std::string::npos);
  EXPECT_EQ(header.find("Transfer-Encoding"), std::string::npos);
  EXPECT_TRUE(std::regex_match(client.got, std::regex{"retry: [12][0-9]{3}\n\n|retry: 3000\n\n"}))
    << client.got;
}

TEST_F(event_stream_test, has_the_fields_that_it_is_given) {
  make({tcp_socket{loop.io.get_executor()},
        {{"Access-Control-Allow-Origin", "https://a.example"}, {"Vary", "Origin"}}});
  const auto header = open();
  EXPECT_NE(header.find("\r\nAccess-Control-Allow-Origin: https://a.example\r\nVary: Origin\r\n"),
            std::string::npos);
}

TEST_F(event_stream_test, sends_events_and_comments_as_they_are) {
  open_after_header();
  EXPECT_EQ(send("one"), send_status::sent);
  session->ping();
  EXPECT_EQ(send("two"), send_status::sent);
  EXPECT_TRUE(loop.until([&] { return client.has("two\n\n"); }));
  EXPECT_EQ(client.got, "data: one\n\n:\n\ndata: two\n\n");
  EXPECT_EQ(loop.context.metrics.pings_sent_total.value(), 1U);
}

TEST_F(event_stream_test, has_a_lane_only_while_it_is_open_and_nothing_waits) {
  make();
  EXPECT_LT(loop.context.lanes.descriptor(session->lane()), 0);
  open();
  EXPECT_GE(loop.context.lanes.descriptor(session->lane()), 0);
  session->close(1012, "restart", close_reason::drain);
  EXPECT_LT(loop.context.lanes.descriptor(session->lane()), 0);
}

TEST_F(event_stream_test, counts_a_client_that_leaves_as_a_normal_close) {
  open_after_header();
  client.leave();
  expect_close(1005, close_reason::normal);
  expect_gone();
}

TEST_F(event_stream_test, counts_a_reset_as_abnormal) {
  open_after_header();
  client.socket().set_option(boost::asio::socket_base::linger{true, 0});
  client.leave();
  expect_close(1006, close_reason::abnormal);
  expect_gone();
}

TEST_F(event_stream_test, notices_a_client_that_left_before_it_was_opened) {
  make();
  client.leave();
  session->open();
  ASSERT_TRUE(loop.until([&] { return !log.closes.empty(); }));
  expect_gone();
}

TEST_F(event_stream_test, discards_what_a_client_says_however_much_that_is) {
  open_after_header();
  for (int i = 0; i < 100; ++i) {
    client.send(std::string(32 << 10U, 'x'));
    loop.turn(1ms);
  }
  EXPECT_TRUE(log.messages.empty());
  EXPECT_TRUE(session->is_open());
  EXPECT_EQ(send("still here"), send_status::sent);
  EXPECT_TRUE(loop.until([&] { return client.has("still here"); }));
  EXPECT_EQ(loop.context.metrics.inbox_bytes.value(), 0U);
  client.leave();
  expect_gone();
}

TEST_F(event_stream_test, a_node_that_goes_down_says_only_when_to_come_back) {
  open_after_header();
  send("last");
  session->close(1012, "service restart", close_reason::drain);
  EXPECT_FALSE(session->is_open());
  EXPECT_TRUE(log.closes.empty()) << "never from inside the call";
  EXPECT_TRUE(is_over()) << "the end of the response";
  EXPECT_TRUE(
    std::regex_match(client.got, std::regex{"data: last\n\nretry: ([1-9][0-9]{2}|1000)\n\n"}))
    << client.got;
  expect_close(1012, close_reason::drain);
  client.leave();
  expect_gone();
}

TEST_F(event_stream_test, any_other_close_says_why) {
  open_after_header();
  session->close(1011, "it's \"broken\"", close_reason::handler_error);
  session->close(1012, "second", close_reason::drain);
  EXPECT_TRUE(is_over());
  EXPECT_TRUE(std::regex_match(
    client.got, std::regex{"event: close\nretry: [123][0-9]{3}\n"
                           "data: \\{\"code\":1011,\"reason\":\"it's \\\\\"broken\\\\\"\"\\}\n\n"}))
    << client.got;
  expect_close(1011, close_reason::handler_error);
  client.leave();
  expect_gone();
}

TEST_F(event_stream_test, pauses_at_the_end_differ) {
  std::set<std::string> pauses;
  for (int i = 0; i < 5; ++i) {
    open_after_header();
    session->close(1012, "", close_reason::rebalance);
    EXPECT_TRUE(is_over());
    pauses.insert(client.got);
    client.leave();
  }
  EXPECT_GT(pauses.size(), 2U);
}

TEST_F(event_stream_test, ends_although_the_client_keeps_its_end_open) {
  open_after_header();
  session->close(1012, "", close_reason::drain);
  expect_gone();
}

TEST_F(event_stream_test, a_slow_client_is_closed_behind_whole_events) {
  open_after_header(4096);
  int sent = 0;
  while (send(std::string(1000, 'x') + std::to_string(sent)) != send_status::dropped)
    ASSERT_LT(++sent, 10'000);
  EXPECT_FALSE(session->is_open());
  EXPECT_LE(loop.context.metrics.outbox_bytes.value(), 3000U) << "what was not started is dropped";
  ASSERT_TRUE(is_over());
  expect_close(1008, close_reason::slow_consumer);
  std::string_view rest = client.got;
  int got = 0;
  for (;; ++got) {
    const auto next = "data: " + std::string(1000, 'x') + std::to_string(got) + "\n\n";
    if (!rest.starts_with(next))
      break;
    rest.remove_prefix(next.size());
  }
  EXPECT_GT(got, 0);
  EXPECT_LT(got, sent);
  EXPECT_TRUE(rest.starts_with("event: close\nretry: ")) << rest;
  EXPECT_NE(rest.find("data: {\"code\":1008,\"reason\":\"slow consumer\"}\n\n"), std::string::npos);
  client.leave();
  expect_gone();
}

TEST_F(event_stream_test, a_slow_client_that_never_reads_its_end_is_cut_off) {
  open_after_header(4096);
  while (send(std::string(1000, 'x')) != send_status::dropped) {
  }
  expect_gone(); // after the close timeout
  EXPECT_EQ(log.closes.at(0).code, 1008);
}

TEST_F(event_stream_test, hears_a_client_that_acknowledges_its_pings) {
  open_after_header();
  const auto before = session->last_heard();
  ASSERT_TRUE(loop.until([&] { return loop.context.now() > before + 20ms; }));
  EXPECT_EQ(session->last_heard(), before) << "it says nothing of itself";
  session->ping();
  const auto pinged = loop.context.now();
  EXPECT_TRUE(loop.until([&] { return session->last_heard() == pinged; }));
}

TEST_F(event_stream_test, hears_nothing_of_a_client_that_takes_nothing) {
  open_after_header(4096);
  while (send(std::string(1000, 'x')) == send_status::sent) {
  }
  // its kernel may take some more yet
  auto pinged = loop.context.now();
  bool is_heard = true;
  for (int tries = 0; is_heard && tries < 20; ++tries) {
    session->ping();
    pinged = loop.context.now();
    for (const auto end = pinged + 300ms; loop.context.now() < end;)
      loop.turn(10ms);
    is_heard = session->last_heard() >= pinged;
  }
  EXPECT_FALSE(is_heard);
  EXPECT_TRUE(loop.until([&] {
    client.receive();
    return session->last_heard() == pinged;
  }))
    << "now it does";
}

TEST_F(event_stream_test, refuses_with_503) {
  make();
  session->refuse(reject_reason::rooms);
  EXPECT_TRUE(is_over());
  EXPECT_TRUE(client.got.starts_with("HTTP/1.1 503 Service Unavailable\r\n")) << client.got;
  EXPECT_NE(client.got.find("\r\nRetry-After: 1\r\n"), std::string::npos);
  EXPECT_TRUE(client.got.ends_with(
    "\r\n\r\nthis node has as many rooms as it may; those that exist can be joined\n"));
  EXPECT_EQ(
    loop.context.metrics.rejected_total[static_cast<std::size_t>(reject_reason::rooms)].value(),
    1U);
  client.leave();
  ASSERT_TRUE(loop.until([&] { return !log.closes.empty(); }));
  expect_gone();
  EXPECT_EQ(
    loop.context.metrics.closes.value(close_counters::slot_of(1006), close_reason::abnormal), 0U);
}

TEST_F(event_stream_test, refuses_one_that_was_here_before_so_that_it_comes_back) {
  make({tcp_socket{loop.io.get_executor()}, {{"Vary", "Origin"}}, true});
  session->refuse(reject_reason::unavailable);
  EXPECT_TRUE(is_over());
  EXPECT_TRUE(client.got.starts_with("HTTP/1.1 200 OK\r\n")) << client.got;
  EXPECT_NE(client.got.find("\r\nContent-Type: text/event-stream\r\n"), std::string::npos);
  EXPECT_NE(client.got.find("\r\nVary: Origin\r\n"), std::string::npos);
  EXPECT_NE(client.got.find("\nretry: "), std::string::npos);
  EXPECT_NE(client.got.find("event: close\n"), std::string::npos);
  EXPECT_NE(client.got.find("\"code\":1013"), std::string::npos);
  EXPECT_EQ(
    loop.context.metrics.rejected_total[static_cast<std::size_t>(reject_reason::unavailable)]
      .value(),
    1U);
  client.leave();
  expect_gone();
}

TEST_F(event_stream_test, puts_a_history_in_front_of_what_is_live) {
  open_after_header();
  const auto head = loop.context.buffers.make("event: join\ndata: {}\n\n");
  session->send_reply(
    head, std::make_unique<test::list_source>(
            loop.context.buffers, std::deque<std::string>{"data: 1\n\n", "data: 2\n\n"}));
  send("3");
  EXPECT_TRUE(loop.until([&] { return client.has("data: 3\n\n"); }));
  EXPECT_EQ(client.got, "event: join\ndata: {}\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\n");
}

struct event_stream_of_rooms_test : event_stream_test {
  void open_rooms(std::vector<room_ids_layer::room> rooms, int receive_buffer = 0) {
    make({.socket = tcp_socket{loop.io.get_executor()},
          .layer = std::make_unique<room_ids_layer>(std::move(rooms))},
         receive_buffer);
    open();
    client.got.clear();
  }

  void send_events(std::string_view bytes) {
    const auto buffer = loop.context.buffers.make(bytes);
    session->send(buffer, 0, buffer->size());
  }
};

TEST_F(event_stream_of_rooms_test, each_id_says_where_the_client_is_in_all_its_rooms) {
  open_rooms({{"a", "x:7"}, {"b"}, {"c"}});
  EXPECT_LT(loop.context.lanes.descriptor(session->lane()), 0) << "nobody writes past the layer";
  send_events("event: join\nid: b=y:1\ndata: {}\n\n");
  send_events("id: a=x:8\ndata: id: a=x:9\n\nid: a=x:9\ndata: 9\n\n");
  session->ping();
  send_events("id: c=z:1\ndata: 1\n\n");
  EXPECT_TRUE(loop.until([&] { return client.has("data: 1\n\n"); }));
  EXPECT_EQ(client.got, "event: join\nid: a=x:7,b=y:1\ndata: {}\n\n"
                        "id: a=x:8,b=y:1\ndata: id: a=x:9\n\nid: a=x:9,b=y:1\ndata: 9\n\n"
                        ":\n\nid: a=x:9,b=y:1,c=z:1\ndata: 1\n\n");
}

TEST_F(event_stream_of_rooms_test, an_id_says_nothing_of_what_still_waits) {
  open_rooms({{"a"}, {"b"}});
  const auto head = loop.context.buffers.make("id: a=x:0\n\n");
  session->send_reply(
    head, std::make_unique<test::list_source>(
            loop.context.buffers,
            std::deque<std::string>{"id: a=x:1\ndata: 1\n\n", "id: a=x:2\ndata: 2\n\n"}));
  send_events("id: b=y:5\ndata: 5\n\n");
  EXPECT_TRUE(loop.until([&] { return client.has("data: 5\n\n"); }));
  EXPECT_EQ(client.got, "id: a=x:0\n\nid: a=x:1\ndata: 1\n\nid: a=x:2\ndata: 2\n\n"
                        "id: a=x:2,b=y:5\ndata: 5\n\n");
}

TEST_F(event_stream_of_rooms_test, loses_nothing_of_a_client_that_reads_late) {
  open_rooms({{"a"}, {"b", "y:1"}}, 4096);
  std::string expected;
  int sent = 0;
  for (; sent < 200; ++sent) {
    const auto number = std::to_string(sent);
    send_events("id: a=x:" + number + "\ndata: " + std::string(200, 'd') + "\n\n");
    expected += "id: a=x:" + number + ",b=y:1\ndata: " + std::string(200, 'd') + "\n\n";
  }
  EXPECT_TRUE(loop.until([&] {
    client.receive();
    return client.got.size() >= expected.size();
  }));
  EXPECT_EQ(client.got, expected);
  session->close(1012, "", close_reason::drain);
  EXPECT_TRUE(is_over());
  EXPECT_TRUE(std::string_view{client.got}.substr(expected.size()).starts_with("retry: "));
  client.leave();
  expect_gone();
}

} // namespace
} // namespace canang::net
