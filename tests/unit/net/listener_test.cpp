#include "net/listener.hpp"

#include "tests/unit/support/loopback.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

namespace canang::net {
namespace {

using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

void close_all(const listening_sockets& sockets) {
  for (const int fd : sockets.descriptors)
    ::close(fd);
}

TEST(listen_on, gives_each_loop_a_socket_of_one_free_port) {
  boost::system::error_code ec;
  const auto sockets = listen_on({address_v4::loopback(), 0}, 3, ec);
  ASSERT_FALSE(ec) << ec.message();
  EXPECT_EQ(sockets.descriptors.size(), 3U);
  EXPECT_NE(sockets.endpoint.port(), 0);
  EXPECT_EQ(sockets.endpoint.address(), address_v4::loopback());
  close_all(sockets);
}

TEST(listen_on, refuses_a_port_that_is_taken) {
  boost::system::error_code ec;
  const auto first = listen_on({address_v4::loopback(), 0}, 2, ec);
  ASSERT_FALSE(ec);
  const auto second = listen_on(first.endpoint, 2, ec);
  EXPECT_EQ(ec, boost::system::errc::address_in_use);
  EXPECT_TRUE(second.descriptors.empty());
  ec.clear();
  close_all(first);
  const auto third = listen_on(first.endpoint, 1, ec);
  EXPECT_FALSE(ec) << "free again at once: " << ec.message();
  close_all(third);
}

TEST(listen_on, refuses_a_port_on_all_addresses_that_is_taken_on_one) {
  boost::system::error_code ec;
  const auto one = listen_on({address_v4::loopback(), 0}, 1, ec);
  ASSERT_FALSE(ec);
  const auto all = listen_on({address_v4::any(), one.endpoint.port()}, 1, ec);
  EXPECT_EQ(ec, boost::system::errc::address_in_use);
  close_all(one);
  close_all(all);
}

TEST(listen_on, refuses_an_address_of_another_machine) {
  boost::system::error_code ec;
  const auto sockets = listen_on({boost::asio::ip::make_address("192.0.2.1"), 0}, 1, ec);
  EXPECT_TRUE(ec);
  EXPECT_TRUE(sockets.descriptors.empty());
}

TEST(listener, serves_what_it_accepts_until_it_is_stopped) {
  test::turning_loop loop;
  boost::system::error_code ec;
  const auto sockets = listen_on({address_v4::loopback(), 0}, 1, ec);
  ASSERT_FALSE(ec);
  router paths;
  paths.add_page("/", {}, [](const http_request&) { return text_response(200, "hello"); });
  listener door{loop.context, paths, sockets.descriptors[0], false};
  door.start();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    tcp_socket socket{loop.io.get_executor()};
    socket.connect(sockets.endpoint);
    test::raw_client client{std::move(socket)};
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(loop.until([&] { return client.has("\r\n\r\nhello\n"); }));
    EXPECT_EQ(loop.context.metrics.accepted_total.value(), i);
  }
  tcp_socket waiting{loop.io.get_executor()};
  waiting.connect(sockets.endpoint); // in the queue: the loop does not turn
  door.stop();
  door.stop();
  test::raw_client last{std::move(waiting)};
  last.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(loop.until([&] { return last.has("\r\n\r\nhello\n"); }));
  tcp_socket late{loop.io.get_executor()};
  late.connect(sockets.endpoint, ec);
  EXPECT_EQ(ec, boost::system::errc::connection_refused);
  EXPECT_EQ(loop.context.metrics.accept_errors_total.value(), 0U);
}

/// A client that connects from an address of this machine.
test::raw_client connect_from(test::turning_loop& loop, const char* address,
                              const tcp_endpoint& to) {
  tcp_socket socket{loop.io.get_executor()};
  socket.open(boost::asio::ip::tcp::v4());
  socket.bind({boost::asio::ip::make_address(address), 0});
  socket.connect(to);
  return test::raw_client{std::move(socket)};
}

TEST(listener, counts_the_connections_of_each_address_from_accept_to_close) {
  test::turning_loop loop;
  boost::system::error_code ec;
  const auto sockets = listen_on({address_v4::loopback(), 0}, 1, ec);
  ASSERT_FALSE(ec);
  address_counts addresses{2};
  const arrival_rules rules{.addresses = &addresses};
  router paths;
  paths.add_page("/", {}, [](const http_request&) { return text_response(200, "hello"); });
  listener door{loop.context, paths, sockets.descriptors[0], false, &rules};
  door.start();
  const auto come = [&](const char* from) { return connect_from(loop, from, sockets.endpoint); };
  const auto is_over = [&](test::raw_client& client) {
    return loop.until([&] {
      client.receive();
      return client.is_over;
    });
  };
  const std::string request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  auto first = come("127.0.0.1");
  auto second = come("127.0.0.1"); // silent, and counts
  auto third = come("127.0.0.1");
  EXPECT_TRUE(loop.until([&] { return loop.context.http.size() == 3; }));
  auto fourth = come("127.0.0.1");
  EXPECT_TRUE(is_over(fourth));
  EXPECT_EQ(fourth.got, "") << "it is not worth an answer";
  first.send(request);
  EXPECT_TRUE(loop.until([&] { return first.has("hello\n"); }));
  third.send(request);
  EXPECT_TRUE(loop.until([&] { return third.has("HTTP/1.1 429 "); }));
  auto other = come("127.0.0.2");
  other.send(request);
  EXPECT_TRUE(loop.until([&] { return other.has("hello\n"); }));
  second.leave();
  third.leave();
  EXPECT_TRUE(loop.until([&] { return loop.context.http.size() == 2; }));
  auto later = come("127.0.0.1");
  later.send(request);
  EXPECT_TRUE(loop.until([&] { return later.has("hello\n"); }));
  EXPECT_EQ(
    loop.context.metrics.rejected_total[static_cast<std::size_t>(reject_reason::address)].value(),
    2U);
  for (auto* client : {&first, &other, &later})
    client->leave();
  EXPECT_TRUE(loop.until([&] { return addresses.size() == 0; })) << "nothing is kept of them";
}

TEST(listener, stops_without_closing_those_that_it_has_just_accepted) {
  session_limits limits;
  limits.max_http_connections = 5;
  test::turning_loop loop{limits};
  boost::system::error_code ec;
  const auto sockets = listen_on({address_v4::loopback(), 0}, 1, ec);
  ASSERT_FALSE(ec);
  router paths;
  paths.add_page("/", {}, [](const http_request&) { return text_response(200, "hello"); });
  listener door{loop.context, paths, sockets.descriptors[0], false};
  door.start();
  std::vector<test::raw_client> waiting;
  for (int i = 0; i < 8; ++i)
    waiting.push_back(connect_from(loop, "127.0.0.1", sockets.endpoint));
  door.stop();
  EXPECT_EQ(loop.context.http.size(), 5U);
  EXPECT_EQ(loop.context.metrics.http_displaced_total.value(), 0U);
  for (std::size_t i = 0; i < 5; ++i) {
    waiting[i].send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(loop.until([&] { return waiting[i].has("hello\n"); }));
  }
}

} // namespace
} // namespace canang::net
