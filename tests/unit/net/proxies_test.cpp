// A listener behind proxies: whose word counts, and for whom a connection counts then.

#include "net/listener.hpp"
#include "tests/unit/support/loopback.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace canang::net {
namespace {

using namespace std::chrono_literals;

const std::string request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string header = "PROXY TCP4 203.0.113.9 10.0.0.1 4660 8000\r\n";

session_limits short_limits() {
  session_limits limits;
  limits.handshake_timeout = 200ms;
  limits.max_http_connections = 8;
  return limits;
}

/// A listener that trusts 127.0.0.1 and not 127.0.0.2, and lets an address have one connection.
struct proxies_test : testing::Test {
  address_counts addresses{1}; // before the loop, with which connections go that count
  test::turning_loop loop{short_limits()};
  proxy_rules proxies;
  arrival_rules rules{.addresses = &addresses, .proxies = &proxies};
  router paths;
  std::optional<listener> door;
  tcp_endpoint at;

  void listen(proxy_header_mode mode, forwarded_field field = forwarded_field::x_forwarded_for) {
    ASSERT_TRUE(proxies.trusted.add("127.0.0.1"));
    proxies.header = mode;
    proxies.field = field;
    paths.add_page("/", {}, [](const http_request&) { return text_response(200, "hello"); });
    boost::system::error_code ec;
    const auto sockets = listen_on({boost::asio::ip::address_v4::loopback(), 0}, 1, ec);
    ASSERT_FALSE(ec);
    at = sockets.endpoint;
    door.emplace(loop.context, paths, sockets.descriptors[0], false, &rules);
    door->start();
  }

  test::raw_client come(const char* from, std::string_view bytes) {
    tcp_socket socket{loop.io.get_executor()};
    socket.open(boost::asio::ip::tcp::v4());
    socket.bind({boost::asio::ip::make_address(from), 0});
    socket.connect(at);
    test::raw_client client{std::move(socket)};
    client.send(bytes);
    return client;
  }

  bool gets(test::raw_client& client, std::string_view text) {
    return loop.until([&] { return client.has(text); });
  }

  bool is_shut(test::raw_client& client) {
    return loop.until([&] {
      client.receive();
      return client.is_over;
    });
  }

  std::uint64_t rejected(reject_reason reason) const {
    return loop.context.metrics.rejected_total[static_cast<std::size_t>(reason)].value();
  }
};

TEST_F(proxies_test, a_header_of_a_trusted_proxy_says_whose_connection_it_is) {
  listen(proxy_header_mode::require);
  auto first = come("127.0.0.1", header + request);
  EXPECT_TRUE(gets(first, "hello\n"));
  auto second = come("127.0.0.1", header + request);
  EXPECT_TRUE(gets(second, "HTTP/1.1 429 ")) << "the same client, over its limit";
  auto other = come("127.0.0.1", "PROXY TCP4 203.0.113.10 10.0.0.1 4660 8000\r\n" + request);
  EXPECT_TRUE(gets(other, "hello\n"));
  first.leave();
  second.leave();
  other.leave();
  EXPECT_TRUE(loop.until([&] { return addresses.size() == 0; }));
}

TEST_F(proxies_test, a_header_may_come_byte_by_byte) {
  listen(proxy_header_mode::accept);
  auto client = come("127.0.0.1", "");
  for (const char c : header) {
    client.send({&c, 1});
    loop.turn(1ms);
  }
  EXPECT_EQ(client.got, "");
  client.send(request);
  EXPECT_TRUE(gets(client, "hello\n"));
  EXPECT_EQ(addresses.size(), 1U);
}

TEST_F(proxies_test, connections_of_the_proxy_itself_do_not_count) {
  listen(proxy_header_mode::accept);
  for (int i = 0; i < 4; ++i) {
    auto client = come("127.0.0.1", "PROXY UNKNOWN\r\n" + request);
    EXPECT_TRUE(gets(client, "hello\n"));
    auto without = come("127.0.0.1", request);
    EXPECT_TRUE(gets(without, "hello\n")) << "none is required";
  }
  EXPECT_EQ(addresses.size(), 0U);
}

TEST_F(proxies_test, what_only_begins_like_a_header_is_served_as_it_is) {
  listen(proxy_header_mode::accept);
  auto client = come("127.0.0.1", "PRO");
  for (int i = 0; i < 3; ++i)
    loop.turn(1ms);
  client.send("PFIND / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(gets(client, "HTTP/1.1 405 ")) << "no byte of its method is lost";
}

TEST_F(proxies_test, a_header_of_a_stranger_is_garbage) {
  listen(proxy_header_mode::accept);
  auto liar = come("127.0.0.2", header + request);
  EXPECT_TRUE(gets(liar, "HTTP/1.1 400 "));
  const std::string binary{"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0C\x7F\0\0\1\x7F\0\0\1\0\1\0\1", 28};
  auto other = come("127.0.0.2", binary + request);
  EXPECT_TRUE(gets(other, "HTTP/1.1 400 "));
  liar.leave();
  EXPECT_TRUE(loop.until([&] { return loop.context.http.size() == 1; }));
  auto honest = come("127.0.0.2", request);
  EXPECT_TRUE(gets(honest, "HTTP/1.1 429 ")) << "they counted as what they are";
}

TEST_F(proxies_test, a_stranger_is_shut_out_where_a_header_is_required) {
  listen(proxy_header_mode::require);
  for (const auto& bytes : {header + request, request, std::string{}}) {
    auto client = come("127.0.0.2", bytes);
    EXPECT_TRUE(is_shut(client));
    EXPECT_EQ(client.got, "");
  }
  EXPECT_EQ(rejected(reject_reason::forbidden), 3U);
}

TEST_F(proxies_test, a_trusted_proxy_that_sends_no_header_or_a_bad_one_is_shut_out) {
  listen(proxy_header_mode::require);
  for (const std::string bytes : {"GET / HTTP/1.1\r\n\r\n", "PROXY TCP4 x\r\n", "\x16\x03\x01"}) {
    auto client = come("127.0.0.1", bytes);
    EXPECT_TRUE(is_shut(client)) << bytes;
    EXPECT_EQ(client.got, "");
  }
  EXPECT_EQ(rejected(reject_reason::bad_request), 3U);
  EXPECT_EQ(loop.context.http.size(), 0U);
}

TEST_F(proxies_test, a_header_that_is_cut_has_the_time_of_a_handshake) {
  listen(proxy_header_mode::require);
  auto cut = come("127.0.0.1", header.substr(0, 20));
  auto silent = come("127.0.0.1", "");
  auto left = come("127.0.0.1", header.substr(0, 20));
  EXPECT_TRUE(loop.until([&] { return loop.context.http.size() == 3; })) << "it has a place";
  left.leave();
  EXPECT_TRUE(is_shut(cut));
  EXPECT_TRUE(is_shut(silent));
  EXPECT_EQ(rejected(reject_reason::timeout), 2U);
  EXPECT_TRUE(loop.until([&] { return loop.context.http.size() == 0; }));
}

TEST_F(proxies_test, those_that_say_nothing_make_room_for_others) {
  listen(proxy_header_mode::require);
  std::vector<test::raw_client> crowd;
  for (std::size_t i = 0; i < loop.context.http.limit() + 1; ++i)
    crowd.push_back(come("127.0.0.1", ""));
  EXPECT_TRUE(is_shut(crowd.front()));
  EXPECT_EQ(rejected(reject_reason::crowded), 1U);
}

TEST_F(proxies_test, a_field_of_a_trusted_proxy_says_whose_request_it_is) {
  listen(proxy_header_mode::off);
  const auto ask = [&](std::string_view who) {
    return "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: " + std::string{who} + "\r\n\r\n";
  };
  auto proxy = come("127.0.0.1", ask("203.0.113.9"));
  EXPECT_TRUE(gets(proxy, "hello\n"));
  EXPECT_EQ(addresses.arrive(boost::asio::ip::make_address("203.0.113.9")).what,
            address_counts::verdict::told)
    << "it counts";
  proxy.got.clear();
  proxy.send(ask("203.0.113.10"));
  EXPECT_TRUE(gets(proxy, "hello\n"));
  EXPECT_EQ(addresses.arrive(boost::asio::ip::make_address("203.0.113.9")).what,
            address_counts::verdict::served)
    << "the connection is another client's now";
  auto second = come("127.0.0.1", ask("203.0.113.10"));
  EXPECT_TRUE(gets(second, "HTTP/1.1 429 "));
  proxy.got.clear();
  proxy.send(request);
  EXPECT_TRUE(gets(proxy, "hello\n")) << "nobody's: a health check";
  EXPECT_TRUE(loop.until([&] { return addresses.size() == 0; }));
}

TEST_F(proxies_test, a_field_of_a_stranger_says_nothing) {
  listen(proxy_header_mode::off);
  auto liar = come("127.0.0.2", "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n");
  EXPECT_TRUE(gets(liar, "hello\n"));
  auto second = come("127.0.0.2", "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.5\r\n\r\n");
  EXPECT_TRUE(gets(second, "HTTP/1.1 429 ")) << "it counts as what it is";
}

TEST_F(proxies_test, a_field_that_cannot_be_read_is_refused) {
  listen(proxy_header_mode::off, forwarded_field::forwarded);
  auto proxy =
    come("127.0.0.1", "GET / HTTP/1.1\r\nHost: x\r\nForwarded: for=\"1.2.3.4, for=1\r\n\r\n");
  EXPECT_TRUE(gets(proxy, "HTTP/1.1 400 "));
}

} // namespace
} // namespace canang::net
