// A port that speaks TLS: handshakes, what is no handshake, and connections that become sessions.

#include "net/listener.hpp"
#include "net/outbox_budget.hpp"
#include "net/protocol/plain_endpoints.hpp"
#include "net/protocol/sse_endpoints.hpp"
#include "tests/unit/support/http_fixture.hpp"
#include "tests/unit/support/tls_client.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

namespace canang::net {
namespace {

using test::client_frame;

/// A base that outlives the fixture's loop, with which connections go that count.
struct counted_addresses {
  address_counts addresses{100};
};

struct tls_opening_test : counted_addresses, test::http_fixture {
  test::tls_server_side server;
  static constexpr int handshakes_in_line = 10;
  const arrival_rules rules{.addresses = &addresses, .tls = &server.source};
  test::context_ptr context = test::client_context();
  std::optional<listener> door;
  tcp_endpoint at;

  tls_opening_test() {
    add_sse_endpoints(paths, {loop.context, *this, http_fixture::rules});
    boost::system::error_code ec;
    const auto sockets = listen_on({boost::asio::ip::address_v4::loopback(), 0}, 1, ec);
    EXPECT_FALSE(ec);
    at = sockets.endpoint;
    door.emplace(loop.context, paths, sockets.descriptors[0], false, &rules);
    door->start();
  }

  test::raw_client come() {
    tcp_socket socket{loop.io.get_executor()};
    socket.connect(at);
    return test::raw_client{std::move(socket)};
  }

  std::unique_ptr<test::tls_client> shake() {
    auto made = std::make_unique<test::tls_client>(come(), context.get());
    EXPECT_TRUE(loop.until([&] { return made->is_ready(); }));
    return made;
  }

  std::uint64_t handshakes(tls_outcome outcome) const {
    return loop.context.metrics.tls_handshakes_total[static_cast<std::size_t>(outcome)].value();
  }

  std::uint64_t held_in() const { return loop.context.metrics.inbox_bytes.value(); }

  /// The first half of a record with `clear` in it. @returns the rest.
  static std::string send_half(test::tls_client& who, std::string_view clear) {
    who.side().write(clear);
    const std::string record{who.side().records()};
    who.side().sent(record.size());
    who.raw().send(std::string_view{record}.substr(0, record.size() / 2));
    return record.substr(record.size() / 2);
  }

  /// A whole look at who holds most, with hardly any room.
  void keep_budget() {
    outbox_budget budget{1000};
    budget.watch(loop.context.metrics);
    budget_keeper{loop.context, budget}.keep();
  }

  std::uint64_t received() const { return loop.context.metrics.received_bytes_total.value(); }

  /// Sends it with each byte in a record of its own.
  static void send_in_bytes(test::tls_client& who, std::string_view clear) {
    std::string records;
    for (const char one : clear) {
      who.side().write({&one, 1});
      records += who.side().records();
      who.side().sent(who.side().records().size());
    }
    who.raw().send(records);
  }

  /// Fills the line at the gate, has `bytes` come of `who`, and waits for an answer.
  /// @returns how many of the line were let in before.
  int let_in_before_answer(test::raw_client& who, std::string_view bytes) {
    int let_in = 0;
    for (int i = 0; i <= handshakes_in_line; ++i)
      loop.context.handshakes.enter([&] {
        ++let_in;
        keep_busy(tls_handshake_share + std::chrono::microseconds{100});
      });
    who.got.clear();
    who.send(bytes);
    EXPECT_TRUE(loop.until([&] {
      who.receive();
      return !who.got.empty();
    }));
    return let_in;
  }

  /// At the gate's expense.
  void keep_busy(std::chrono::microseconds time) {
    loop.context.handshakes.measure([time] {
      const auto until = std::chrono::steady_clock::now() + time;
      while (std::chrono::steady_clock::now() < until) {
      }
      return 0;
    });
  }

  bool gets(test::tls_client& who, std::string_view text) {
    return loop.until([&] { return who.has(text); });
  }
};

TEST_F(tls_opening_test, serves_requests_one_after_the_other) {
  auto one = shake();
  for (int i = 0; i < 3; ++i) {
    one->forget();
    one->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(gets(*one, "page /"));
  }
  one->send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(loop.until([&] { return one->is_over(); }));
  EXPECT_NE(SSL_get_shutdown(one->native()) & SSL_RECEIVED_SHUTDOWN, 0) << "it said that it ends";
  EXPECT_EQ(handshakes(tls_outcome::full), 1U);
  one->raw().leave();
  EXPECT_TRUE(loop.until([&] { return addresses.size() == 0; })) << "nothing is left of it";
}

TEST_F(tls_opening_test, sends_pages_that_are_larger_than_a_socket_takes) {
  const std::string large(3'000'000, 'x');
  paths.add_page("/large/{path*}", {},
                 [&](const http_request&) { return text_response(200, large); });
  auto one = shake();
  one->send("GET /large/ HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(loop.until([&] { return one->pump().size() > large.size(); }));
  EXPECT_TRUE(one->pump().ends_with("xxx\n"));
}

TEST_F(tls_opening_test, hands_the_session_all_that_came_with_the_request) {
  auto one = shake();
  one->send("GET /ws/a HTTP/1.1\r\n" + test::upgrade_fields + client_frame(0x81, "first")
            + client_frame(0x81, "second").substr(0, 4));
  EXPECT_TRUE(gets(*one, "HTTP/1.1 101 "));
  EXPECT_TRUE(loop.until([&] { return log.messages.size() == 1; }));
  one->send(client_frame(0x81, "second").substr(4));
  EXPECT_TRUE(loop.until([&] { return log.messages.size() == 2; }));
  EXPECT_EQ(log.messages[0].second, "first");
  EXPECT_EQ(log.messages[1].second, "second");
  session->close(1000, "bye", close_reason::normal);
  EXPECT_TRUE(gets(*one, "bye"));
  one->send(client_frame(0x88, "\x03\xe8"));
  EXPECT_TRUE(loop.until([&] { return one->is_over(); }));
  EXPECT_NE(SSL_get_shutdown(one->native()) & SSL_RECEIVED_SHUTDOWN, 0);
}

/// Frames in records of their own that came in one packet with the request: in OpenSSL's buffer, not in the socket.
TEST_F(tls_opening_test, hands_the_session_records_that_nobody_has_decrypted_yet) {
  auto one = shake();
  auto& side = one->side();
  std::string records;
  const auto encrypt = [&](std::string_view clear) {
    side.write(clear);
    records += side.records();
    side.sent(side.records().size());
  };
  encrypt("GET /ws/a HTTP/1.1\r\n" + test::upgrade_fields);
  for (int i = 0; i < 5; ++i)
    encrypt(client_frame(0x81, std::to_string(i)));
  one->raw().send(records);
  EXPECT_TRUE(loop.until([&] { return log.messages.size() == 5; }));
}

/// A record costs more than what is in it.
TEST_F(tls_opening_test, has_a_session_read_its_share_of_a_turn_by_what_it_costs) {
  auto one = shake();
  one->send("GET /ws/a HTTP/1.1\r\n" + test::upgrade_fields);
  EXPECT_TRUE(gets(*one, "HTTP/1.1 101 "));
  const auto before = received();
  send_in_bytes(*one, client_frame(0x81, std::string(2000, 'x')));
  loop.turn(std::chrono::milliseconds{10});
  EXPECT_GT(received() - before, 0U);
  EXPECT_LE(received() - before, max_read_bytes_a_turn / cost_of_tls_record);
  EXPECT_TRUE(loop.until([&] { return log.messages.size() == 1; }));
}

TEST_F(tls_opening_test, charges_the_next_turn_for_a_request_in_many_records) {
  auto one = shake();
  send_in_bytes(*one, "GET / HTTP/1.1\r\nHost: x\r\nCookie: " + std::string(2500, 'x'));
  loop.context.sockets.poll(); // what the handshake cost is paid
  EXPECT_FALSE(loop.context.sockets.is_next_charged());
  loop.io.restart();
  while (!loop.context.sockets.is_next_charged())
    ASSERT_GT(loop.io.poll_one(), 0U) << "all is read, and the turn is not charged";
  EXPECT_EQ(pages, 0);
}

TEST_F(tls_opening_test, counts_half_a_record_until_it_is_whole_or_the_session_is_closed) {
  auto one = shake();
  one->send("GET /ws/a HTTP/1.1\r\n" + test::upgrade_fields);
  EXPECT_TRUE(gets(*one, "HTTP/1.1 101 "));
  EXPECT_TRUE(loop.until([&] { return held_in() == 0; }));
  const auto rest = send_half(*one, client_frame(0x81, "hello"));
  EXPECT_TRUE(loop.until([&] { return held_in() == tls_input_bytes; }));
  one->raw().send(rest);
  EXPECT_TRUE(loop.until([&] { return log.messages.size() == 1; }));
  EXPECT_EQ(held_in(), 0U);
  send_half(*one, client_frame(0x81, "hello"));
  EXPECT_TRUE(loop.until([&] { return held_in() == tls_input_bytes; }));
  session->abort(close_reason::handler_error);
  EXPECT_EQ(held_in(), 0U) << "though we refer to it";
}

TEST_F(tls_opening_test, gives_up_half_records_where_the_node_holds_too_much) {
  auto beginning = come();
  test::tls_side side{context.get(), false};
  side.step();
  beginning.send(side.records().substr(0, 100));
  EXPECT_TRUE(loop.until([&] { return held_in() == tls_input_bytes; }));
  keep_budget();
  EXPECT_EQ(held_in(), 0U);
  EXPECT_EQ(handshakes(tls_outcome::crowded), 1U);

  auto asking = shake();
  EXPECT_TRUE(loop.until([&] { return held_in() == 0; }));
  send_half(*asking, "GET / HTTP/1.1\r\n");
  EXPECT_TRUE(loop.until([&] { return held_in() == tls_input_bytes; }));
  keep_budget();
  EXPECT_EQ(held_in(), 0U);
  EXPECT_TRUE(loop.until([&] { return asking->is_over(); }));

  auto one = shake();
  one->send("GET /ws/a HTTP/1.1\r\n" + test::upgrade_fields);
  EXPECT_TRUE(gets(*one, "HTTP/1.1 101 "));
  send_half(*one, client_frame(0x81, "hello"));
  EXPECT_TRUE(loop.until([&] { return held_in() == tls_input_bytes; }));
  keep_budget();
  EXPECT_FALSE(session->is_open());
  EXPECT_TRUE(loop.until([&] { return !log.closes.empty(); }));
  EXPECT_EQ(log.closes.front().code, 1013) << "nothing waits for the client";
  keep_budget(); // it has its time for a close, but not for that
  EXPECT_EQ(held_in(), 0U);
}

TEST_F(tls_opening_test, serves_event_streams_of_several_rooms) {
  auto one = shake();
  one->send("GET /sse?room=a&room=b HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(gets(*one, "HTTP/1.1 200 OK"));
  const auto event = loop.context.buffers.make("id: a=E:1\ndata: hello\n\n");
  session->send(event, 0, event->size());
  EXPECT_TRUE(gets(*one, "id: a=E:1\ndata: hello\n\n"));
  one->raw().leave();
  EXPECT_TRUE(loop.until([&] { return log.closes.size() == 1; }));
}

TEST_F(tls_opening_test, resumes_sessions) {
  auto one = shake();
  one->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(gets(*one, "page /"));
  auto* const session_of_one = SSL_get1_session(one->native());
  test::tls_client again{come(), context.get()};
  SSL_set_session(again.native(), session_of_one);
  EXPECT_TRUE(loop.until([&] { return again.is_ready(); }));
  EXPECT_TRUE(loop.until([&] { return handshakes(tls_outcome::resumed) == 1; }));
  SSL_SESSION_free(session_of_one);
}

TEST_F(tls_opening_test, tells_who_speaks_http_that_this_port_speaks_tls) {
  auto plain = come();
  plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(loop.until([&] { return plain.has("this port speaks TLS"); }));
  EXPECT_TRUE(plain.got.starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(loop.until([&] {
    plain.receive();
    return plain.is_over;
  }));
  EXPECT_EQ(handshakes(tls_outcome::not_tls), 1U);
}

TEST_F(tls_opening_test, reads_on_while_its_answer_is_on_the_way) {
  auto plain = come();
  plain.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n");
  EXPECT_TRUE(loop.until([&] { return plain.has("this port speaks TLS"); }));
  const std::string piece(10'000, 'x');
  for (int i = 0; i < 300; ++i) {
    const auto sent = ::send(plain.socket().native_handle(), piece.data(), piece.size(),
                             MSG_NOSIGNAL | MSG_DONTWAIT);
    ASSERT_TRUE(sent > 0 || errno == EAGAIN) << "it is not reset";
    loop.turn(std::chrono::milliseconds{0});
  }
  plain.leave();
  EXPECT_TRUE(loop.until([&] { return addresses.size() == 0; }));
  auto idle = come();
  idle.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(loop.until([&] { return loop.context.http.size() == 1; }));
  EXPECT_TRUE(loop.until([&] { return loop.context.http.size() == 0; })) << "not for ever";
  EXPECT_EQ(handshakes(tls_outcome::not_tls), 2U);
  EXPECT_EQ(handshakes(tls_outcome::timeout), 0U);
}

TEST_F(tls_opening_test, closes_on_garbage_without_an_answer) {
  for (const auto& bytes : {std::string{"\0\0\0\0", 4}, std::string{"\x80\x2e\x01"}}) {
    auto stranger = come();
    stranger.send(bytes);
    EXPECT_TRUE(loop.until([&] {
      stranger.receive();
      return stranger.is_over;
    }));
    EXPECT_EQ(stranger.got, "");
  }
  auto liar = come();
  liar.send("\x16\x03\x01" + std::string(100, 'x'));
  EXPECT_TRUE(loop.until([&] {
    liar.receive();
    return liar.is_over;
  }));
  EXPECT_TRUE(loop.until([&] { return handshakes(tls_outcome::failed) == 1; }));
  EXPECT_EQ(handshakes(tls_outcome::not_tls), 2U);
  EXPECT_EQ(loop.context.http.size(), 1U) << "it lingers";
  liar.leave();
  EXPECT_TRUE(loop.until([&] { return loop.context.http.size() == 0; }));
}

TEST_F(tls_opening_test, leaves_the_turn_to_others_once_handshakes_have_had_their_share) {
  test::tls_side side{context.get(), false};
  side.step();
  const std::string hello{side.records()};
  std::vector<test::raw_client> crowd;
  for (int i = 0; i < 100; ++i) {
    crowd.push_back(come());
    crowd.back().send(hello);
  }
  EXPECT_FALSE(loop.context.sockets.is_next_charged());
  while (!loop.context.sockets.is_next_charged())
    ASSERT_GT(loop.io.poll_one(), 0U) << "all are at the gate, and the turn is not charged";
  loop.context.sockets.poll();
  EXPECT_FALSE(loop.context.sockets.is_next_charged());
}

TEST_F(tls_opening_test, charges_the_turn_once_for_the_time_of_handshakes) {
  test::tls_side side{context.get(), false};
  side.step();
  const std::string hello{side.records()};
  std::vector<test::raw_client> crowd;
  for (int i = 0; i < 20; ++i)
    crowd.push_back(come());
  EXPECT_TRUE(loop.until([&] { return loop.context.http.size() == crowd.size(); }));
  loop.context.sockets.poll();
  EXPECT_FALSE(loop.context.sockets.is_next_charged());
  for (auto& one : crowd)
    one.send(hello);
  std::chrono::nanoseconds spent{0};
  loop.io.restart();
  while (!loop.context.sockets.is_next_charged()) {
    const auto began = std::chrono::steady_clock::now();
    ASSERT_GT(loop.io.run_one(), 0U);
    spent += std::chrono::steady_clock::now() - began;
  }
  EXPECT_GE(spent, tls_handshake_share * 9 / 10);
}

TEST_F(tls_opening_test, has_hellos_that_come_in_pieces_wait_in_line) {
  loop.context.limits.handshake_timeout = std::chrono::seconds{10}; // whatever else runs here
  test::tls_side side{context.get(), false};
  side.step();
  auto one = come();
  one.send(side.records().substr(0, 1));
  EXPECT_TRUE(loop.until([&] { return held_in() == tls_input_bytes; }));
  EXPECT_EQ(let_in_before_answer(one, side.records().substr(1)), handshakes_in_line + 1);
}

/// The first one costs next to nothing where it has no key of a group that we use.
TEST_F(tls_opening_test, has_second_hellos_wait_in_line_too) {
  loop.context.limits.handshake_timeout = std::chrono::seconds{10}; // whatever else runs here
  SSL_CTX_set1_groups_list(context.get(), "P-521:X25519");
  test::tls_side side{context.get(), false};
  side.step();
  auto one = come();
  one.send(side.records());
  side.sent(side.records().size());
  EXPECT_TRUE(loop.until([&] {
    one.receive();
    return !one.got.empty();
  }));
  side.feed(one.got);
  side.step();
  EXPECT_FALSE(side.is_ready());
  EXPECT_EQ(let_in_before_answer(one, side.records()), handshakes_in_line + 1);
  side.feed(one.got);
  side.step();
  EXPECT_TRUE(side.is_ready());
}

TEST_F(tls_opening_test, charges_the_turn_for_what_it_reads_and_drops) {
  auto plain = come();
  plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(loop.until([&] { return plain.has("this port speaks TLS"); }));
  const std::string piece(10'000, 'x');
  std::size_t sent = 0;
  loop.context.sockets.poll();
  while (!loop.context.sockets.is_next_charged()) {
    const auto size = ::send(plain.socket().native_handle(), piece.data(), piece.size(),
                             MSG_NOSIGNAL | MSG_DONTWAIT);
    sent += size > 0 ? static_cast<std::size_t>(size) : 0;
    ASSERT_LT(sent, 100 * max_cost_a_turn) << "it costs nothing";
    loop.io.restart();
    loop.io.poll();
  }
}

TEST_F(tls_opening_test, gives_a_handshake_its_time_and_no_more) {
  auto silent = come();
  auto slow = come();
  slow.send("\x16\x03\x01\x02");
  EXPECT_TRUE(loop.until([&] { return loop.context.http.size() == 2; }));
  EXPECT_TRUE(loop.until([&] {
    silent.receive();
    slow.receive();
    return silent.is_over && slow.is_over;
  }));
  EXPECT_EQ(handshakes(tls_outcome::timeout), 2U);
  auto left = come();
  left.send("\x16\x03\x01\x02");
  left.leave();
  EXPECT_TRUE(loop.until([&] { return handshakes(tls_outcome::left) == 1; }));
  EXPECT_TRUE(loop.until([&] { return addresses.size() == 0; }));
}

TEST_F(tls_opening_test, offers_http_1_1_and_nothing_else) {
  SSL_CTX_set_alpn_protos(context.get(), reinterpret_cast<const unsigned char*>("\2h2\10http/1.1"),
                          12);
  auto one = shake();
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(one->native(), &chosen, &size);
  EXPECT_EQ((std::string_view{reinterpret_cast<const char*>(chosen), size}), "http/1.1");
  SSL_CTX_set_alpn_protos(context.get(), reinterpret_cast<const unsigned char*>("\2h2"), 3);
  test::tls_client other{come(), context.get()};
  EXPECT_TRUE(loop.until([&] { return other.is_over(); }));
  EXPECT_EQ(handshakes(tls_outcome::failed), 1U);
}

} // namespace
} // namespace canang::net
