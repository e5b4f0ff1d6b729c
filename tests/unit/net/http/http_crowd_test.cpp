#include "net/http/session.hpp"
#include "tests/unit/support/loopback.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

/// A loop with places for three connections that are not WebSocket sessions.
struct full_http_pool_test : testing::Test {
  test::turning_loop loop{[] {
    session_limits limits;
    limits.max_http_connections = 3;
    return limits;
  }()};
  router paths;
  std::vector<test::raw_client> clients;

  full_http_pool_test() {
    paths.add_page("/{path*}", {}, [](const http_request& request) {
      return text_response(200, "page " + std::string{request.path});
    });
  }

  test::raw_client& serve(std::string_view bytes) {
    auto [server, other_end] = test::connected_pair(loop.io);
    clients.reserve(20);
    auto& client = clients.emplace_back(std::move(other_end));
    serve_http(loop.context, paths, std::move(server));
    client.send(bytes);
    return client;
  }

  bool is_over(test::raw_client& client) {
    return loop.until([&] {
      client.receive();
      return client.is_over;
    });
  }

  bool is_open(test::raw_client& client) {
    loop.turn(std::chrono::milliseconds{1});
    client.receive();
    return !client.is_over;
  }

  std::uint64_t crowded() const {
    return loop.context.metrics.rejected_total[static_cast<std::size_t>(reject_reason::crowded)]
      .value();
  }
};

TEST_F(full_http_pool_test, closes_the_one_that_has_been_silent_longest) {
  auto& first = serve("");
  auto& second = serve("GET / HTTP/1.1\r\nX: slowly");
  auto& third = serve("");
  auto& fourth = serve("GET /four HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(is_over(first));
  EXPECT_TRUE(loop.until([&] { return fourth.has("page /four"); }));
  second.send("er and slower");
  serve("");
  EXPECT_TRUE(is_over(second)) << "bytes that are no request do not help it";
  EXPECT_TRUE(is_open(third));
  EXPECT_TRUE(is_open(fourth));
  EXPECT_EQ(loop.context.http.size(), 3U);
  EXPECT_EQ(loop.context.metrics.http_displaced_total.value(), 2U);
  EXPECT_EQ(crowded(), 2U);
}

TEST_F(full_http_pool_test, spares_one_that_makes_requests_before_those_that_do_not) {
  auto& busy = serve("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(loop.until([&] { return busy.has("page /a"); }));
  for (int i = 0; i < 10; ++i) {
    serve("");
    const auto path = "/" + std::to_string(i);
    busy.send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(loop.until([&] { return busy.has("page " + path); }));
  }
  EXPECT_EQ(loop.context.http.size(), 3U);
  serve("");
  serve("");
  EXPECT_TRUE(is_open(busy));
  serve("");
  EXPECT_TRUE(is_over(busy)) << "idle between two requests: it is the longest without one now";
  EXPECT_EQ(crowded(), 10U) << "it had been served";
}

TEST_F(full_http_pool_test, answers_a_request_that_is_there_however_many_others_come) {
  std::vector<test::raw_client*> honest;
  for (int i = 0; i < 5; ++i) {
    serve("");
    serve("");
    honest.push_back(&serve("GET /me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    EXPECT_TRUE(loop.until([&] { return honest.back()->has("page /me"); }));
  }
}

} // namespace
} // namespace canang::net
