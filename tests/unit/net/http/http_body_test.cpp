// Bodies of requests, over a socket.

#include "net/outbox_budget.hpp"
#include "tests/unit/support/http_fixture.hpp"

namespace canang::net {
namespace {

using namespace std::chrono_literals;

struct http_body_test : test::http_fixture {
  std::vector<std::string> bodies;

  http_body_test() {
    paths.add(http_method::post, "/take", {.body_limit = 1000},
              [this](const http_request& asked, responder& respond) {
                bodies.emplace_back(asked.body);
                respond.reply(text_response(200, "took " + std::to_string(asked.body.size())));
              });
    paths.add(http_method::post, "/large", {.body_limit = max_body_limit},
              [this](const http_request& asked, responder& respond) {
                bodies.emplace_back(asked.body);
                respond.reply(text_response(200, "took it"));
              });
    paths.set_guard([](const http_request& asked) -> std::optional<page_response> {
      EXPECT_EQ(asked.body, "");
      if (asked.query == "secret=no")
        return text_response(401, "no");
      return std::nullopt;
    });
  }

  static std::string post(const std::string& fields, const std::string& body = {},
                          const std::string& path = "/take") {
    return "POST " + path + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n\r\n" + body;
  }

  void expect_refused(const std::string& request, const std::string& status) {
    serve(request);
    EXPECT_TRUE(is_answered("HTTP/1.1 " + status + ' ')) << request;
    EXPECT_TRUE(is_over()) << "what follows is no request: " << request;
    EXPECT_EQ(client.got.find("HTTP/1.1", 1), std::string::npos) << client.got;
    EXPECT_TRUE(bodies.empty()) << request;
  }

  void expect_nothing_held() {
    EXPECT_EQ(loop.context.http.body_bytes(), 0U);
    EXPECT_EQ(loop.context.metrics.inbox_bytes.value(), 0U);
  }
};

const std::string next_request = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(http_body_test, comes_whole_to_its_handler_and_the_next_request_follows) {
  serve(post("Content-Length: 5", "hello") + next_request);
  EXPECT_TRUE(is_answered("page /next"));
  EXPECT_NE(client.got.find("took 5"), std::string::npos);
  serve(post("Transfer-Encoding: chunked", "2;x\r\nhe\r\n3\r\nllo\r\n0\r\nA: b\r\n\r\n")
        + next_request);
  EXPECT_TRUE(is_answered("page /next"));
  EXPECT_EQ(bodies, (std::vector<std::string>{"hello", "hello"}));
  expect_nothing_held();
}

TEST_F(http_body_test, counts_in_what_a_turn_may_read) {
  constexpr std::size_t chunk = 10'000;
  const auto all = max_cost_a_turn / chunk * chunk;
  serve(post("Content-Length: " + std::to_string(all), {}, "/large"));
  std::size_t sent = 0;
  for (; sent < all && !loop.context.sockets.is_next_charged(); sent += chunk) {
    client.send(std::string(chunk, 'x'));
    loop.io.restart();
    loop.io.poll(); // the turn of the sessions does not come
  }
  EXPECT_TRUE(loop.context.sockets.is_next_charged());
  EXPECT_GE(sent, max_cost_a_turn / 2 - chunk);
  loop.context.sockets.poll();
  EXPECT_FALSE(loop.context.sockets.is_next_charged());
}

TEST_F(http_body_test, comes_whole_wherever_it_is_split) {
  const std::string requests = post("Transfer-Encoding: Chunked", "5\r\nhello\r\n0\r\n\r\n")
                               + post("Content-Length: 3", "abc") + next_request;
  for (std::size_t cut = 1; cut < requests.size(); ++cut) {
    bodies.clear();
    serve(std::string_view{requests}.substr(0, cut));
    loop.turn(0ms);
    loop.turn(0ms);
    client.send(std::string_view{requests}.substr(cut));
    ASSERT_TRUE(is_answered("page /next")) << cut;
    EXPECT_EQ(bodies, (std::vector<std::string>{"hello", "abc"})) << cut;
  }
  serve("");
  bodies.clear();
  for (const char c : requests) {
    client.send({&c, 1});
    loop.turn(0ms);
  }
  EXPECT_TRUE(is_answered("page /next"));
  EXPECT_EQ(bodies, (std::vector<std::string>{"hello", "abc"}));
}

TEST_F(http_body_test, may_be_empty_or_not_there) {
  serve(post("Content-Length: 0") + post("X: y") + post("Transfer-Encoding: chunked", "0\r\n\r\n")
        + next_request);
  EXPECT_TRUE(is_answered("page /next"));
  EXPECT_EQ(bodies, (std::vector<std::string>{"", "", ""}));
}

TEST_F(http_body_test, may_be_many_times_as_large_as_what_is_read_at_once) {
  std::string large;
  for (int i = 0; large.size() < max_body_limit; ++i)
    large += std::to_string(i);
  large.resize(max_body_limit);
  serve(post("Content-Length: " + std::to_string(large.size()), "", "/large"));
  std::string_view rest = large;
  while (bodies.empty()) {
    const auto piece = rest.substr(0, 30'000);
    client.send(piece);
    rest.remove_prefix(piece.size());
    loop.turn(1ms);
    loop.turn(1ms);
    ASSERT_TRUE(bodies.empty() || rest.empty());
  }
  EXPECT_EQ(bodies[0], large);
  EXPECT_TRUE(is_answered("took it"));
  expect_nothing_held();
}

TEST_F(http_body_test, is_413_as_soon_as_its_size_is_known) {
  expect_refused(post("Content-Length: 1001"), "413");
  expect_refused(post("Content-Length: 18446744073709551615"), "413");
  expect_refused(post("Content-Length: 1001\r\nExpect: 100-continue"), "413");
  expect_refused(post("Transfer-Encoding: chunked", "3e9\r\n"), "413");
  expect_refused(
    post("Transfer-Encoding: chunked", "3e8\r\n" + std::string(1000, 'x') + "\r\n1\r\n"), "413");
  expect_nothing_held();
}

TEST_F(http_body_test, is_refused_where_its_end_can_be_read_in_two_ways) {
  const std::string smuggled = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
  expect_refused(post("Content-Length: 5\r\nTransfer-Encoding: chunked", smuggled), "400");
  expect_refused(post("Transfer-Encoding: chunked\r\nContent-Length: 5", smuggled), "400");
  expect_refused(post("Transfer-Encoding: identity\r\nContent-Length: 5", smuggled), "400");
  expect_refused(post("Content-Length: 5\r\nContent-Length: 6", smuggled), "400");
  expect_refused(post("Content-Length: 5\r\nContent-Length: 5", smuggled), "400");
  expect_refused(post("Content-Length: 5, 5", smuggled), "400");
  expect_refused(post("Content-Length: +5", smuggled), "400");
  expect_refused(post("Content-Length: 0x5", smuggled), "400");
  expect_refused(post("Content-Length: 99999999999999999999", smuggled), "400");
  expect_refused(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", smuggled), "400");
  expect_refused(post("Transfer-Encoding: chunked, identity", smuggled), "400");
  expect_refused(post("Transfer-Encoding: xchunked", smuggled), "400");
  expect_refused(post("Transfer-Encoding: gzip, chunked", smuggled), "501");
  expect_refused(post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", smuggled),
                 "501");
  expect_refused("POST /take HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + smuggled, "400");
  expect_refused(post("Transfer-Encoding: chunked", "5\nhello\r\n" + smuggled), "400");
  EXPECT_EQ(pages, 0);
}

TEST_F(http_body_test, is_not_read_of_who_may_not_ask_nor_where_none_is_taken) {
  expect_refused(post("Content-Length: 5\r\nExpect: 100-continue", "", "/take?secret=no"), "401");
  expect_refused(post("Content-Length: 5", "hello", "/take?secret=no"), "401");
  expect_refused("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "400");
  expect_refused("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "400");
  expect_refused(post("Content-Length: 5", "hello", "/"), "405");
  EXPECT_EQ(pages, 0);
}

TEST_F(http_body_test, is_asked_for_where_the_client_waits_for_that) {
  serve(post("Content-Length: 5\r\nExpect: 100-continue"));
  ASSERT_TRUE(is_answered("HTTP/1.1 100 Continue\r\n\r\n"));
  client.send("hello" + next_request);
  EXPECT_TRUE(is_answered("page /next"));
  EXPECT_EQ(bodies, (std::vector<std::string>{"hello"}));
  serve(post("Transfer-Encoding: chunked\r\nExpect: 100-Continue"));
  ASSERT_TRUE(is_answered("HTTP/1.1 100 Continue\r\n\r\n"));
  client.send("0\r\n\r\n");
  EXPECT_TRUE(is_answered("took 0"));
}

TEST_F(http_body_test, is_not_asked_for_without_need) {
  serve(post("Content-Length: 5\r\nExpect: 100-continue", "hello"));
  EXPECT_TRUE(is_answered("took 5"));
  EXPECT_TRUE(client.got.starts_with("HTTP/1.1 200 ")) << "it had come already";
  serve(post("Expect: 100-continue"));
  EXPECT_TRUE(is_answered("took 0"));
  EXPECT_TRUE(client.got.starts_with("HTTP/1.1 200 ")) << "there is none";
  serve("POST /take HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  loop.turn(10ms);
  client.send("hello");
  EXPECT_TRUE(is_answered("took 5"));
  EXPECT_TRUE(client.got.starts_with("HTTP/1.1 200 ")) << "HTTP/1.0 knows no such thing";
  bodies.clear();
  expect_refused(post("Content-Length: 5\r\nExpect: something"), "417");
}

TEST_F(http_body_test, is_given_up_when_it_does_not_come_in_time) {
  serve(post("Content-Length: 5", "hel"));
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(is_answered("HTTP/1.1 408 "));
  EXPECT_GE(std::chrono::steady_clock::now() - began, 200ms);
  client.send("lo" + next_request);
  EXPECT_TRUE(is_over());
  EXPECT_EQ(pages, 0);
  expect_nothing_held();
  serve(post("Transfer-Encoding: chunked", "", "/large"));
  while (!client.has("HTTP/1.1 408 ")) { // each byte in time, all of them not
    client.send("1\r\nx\r\n");
    loop.turn(20ms);
    ASSERT_LT(std::chrono::steady_clock::now() - began, 10s);
  }
  EXPECT_TRUE(bodies.empty());
}

TEST_F(http_body_test, leaves_nothing_when_its_client_does) {
  serve(post("Content-Length: 5", "hel"));
  EXPECT_TRUE(loop.until([&] { return loop.context.http.body_bytes() > 0; }));
  EXPECT_EQ(loop.context.metrics.inbox_bytes.value(), loop.context.http.body_bytes());
  client.leave();
  EXPECT_TRUE(loop.until([&] { return loop.context.http.size() == 0; }));
  expect_nothing_held();
}

TEST_F(http_body_test, is_503_where_the_loop_holds_as_much_of_bodies_as_it_may) {
  ASSERT_TRUE(loop.context.http.take_body_bytes(max_bodies_bytes - 100));
  serve(post("Content-Length: 500", std::string(400, 'x')));
  EXPECT_TRUE(is_answered("HTTP/1.1 503 "));
  EXPECT_NE(client.got.find("Retry-After: 1\r\n"), std::string::npos);
  EXPECT_TRUE(is_over());
  EXPECT_EQ(loop.context.http.body_bytes(), max_bodies_bytes - 100);
  EXPECT_EQ(loop.context.metrics.inbox_bytes.value(), 0U);
  loop.context.http.give_body_bytes(max_bodies_bytes - 100);
  EXPECT_TRUE(bodies.empty());
}

TEST_F(http_body_test, gives_way_where_the_node_holds_too_much_for_its_clients) {
  outbox_budget budget{1000};
  budget.watch(loop.context.metrics);
  budget_keeper keeper{loop.context, budget};
  serve(post("Content-Length: 100000", std::string(10'000, 'x'), "/large"));
  EXPECT_TRUE(loop.until([&] { return loop.context.http.body_bytes() >= 10'000; }));
  keeper.keep();
  expect_nothing_held();
  EXPECT_TRUE(is_answered("HTTP/1.1 503 "));
  EXPECT_TRUE(is_over());
  EXPECT_TRUE(bodies.empty());
}

} // namespace
} // namespace canang::net
