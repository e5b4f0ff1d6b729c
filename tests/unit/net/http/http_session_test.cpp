#include "net/http/session.hpp"
#include "tests/unit/support/http_fixture.hpp"

#include <stdexcept>
#include <thread>

namespace canang::net {
namespace {

using namespace std::chrono_literals;
using test::upgrade_fields;

struct http_session_test : test::http_fixture {
  /// `/slow` is answered by whoever calls `respond`, which is set when it is asked for.
  void hold_slow_page(late_responder& respond) {
    paths.add(http_method::get, "/slow", {},
              [&respond](const http_request&, responder& to) { respond = to.reply_later(); });
  }
};

TEST_F(http_session_test, answers_pipelined_requests_in_order) {
  serve("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n"
        "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(is_over());
  const auto first = client.got.find("page /\n");
  const auto second = client.got.find("page /b\n");
  ASSERT_NE(second, std::string::npos) << client.got;
  EXPECT_LT(first, second);
  EXPECT_EQ(client.got.find("page", second + 1), std::string::npos) << "HEAD has no body";
  EXPECT_EQ(pages, 3);
}

TEST_F(http_session_test, answers_a_slow_page_when_its_answer_comes_and_others_after_it) {
  late_responder respond;
  hold_slow_page(respond);
  serve("GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(loop.until([&] { return respond != nullptr; }));
  EXPECT_EQ(pages, 0);
  std::thread{[&] {
    respond(text_response(200, "at last"));
    respond = {};
  }}.join();
  ASSERT_TRUE(is_answered("page /b"));
  EXPECT_LT(client.got.find("at last"), client.got.find("page /b"));
}

TEST_F(http_session_test, answers_503_when_a_slow_page_has_no_answer_and_drops_the_late_one) {
  late_responder respond;
  hold_slow_page(respond);
  serve("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(is_answered("HTTP/1.1 503 "));
  EXPECT_NE(client.got.find(R"({"reason":"no answer in time"})"), std::string::npos);
  respond(text_response(200, "too late"));
  client.send("GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(is_answered("page /b"));
  EXPECT_EQ(client.got.find("too late"), std::string::npos);
}

TEST_F(http_session_test, closes_a_connection_after_its_share_of_requests) {
  std::string many;
  for (unsigned i = 0; i <= max_requests_a_connection; ++i)
    many += "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  serve(many);
  EXPECT_TRUE(is_over());
  EXPECT_EQ(pages, static_cast<int>(max_requests_a_connection));
  EXPECT_NE(client.got.find("Connection: close"), std::string::npos);
}

TEST_F(http_session_test, answers_431_to_headers_over_their_limit) {
  serve("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(loop.context.limits.max_header_bytes, 'x')
        + "\r\n\r\n");
  EXPECT_TRUE(is_answered("HTTP/1.1 431 "));
  EXPECT_EQ(rejected(reject_reason::headers_too_large), 1U);
}

TEST_F(http_session_test, takes_headers_up_to_their_limit) {
  const std::string start = "GET / HTTP/1.1\r\nHost: x\r\nX: ";
  const std::string end = "\r\n\r\n";
  const auto room = loop.context.limits.max_header_bytes - start.size() - end.size();
  serve(start + std::string(room, 'x') + end);
  EXPECT_TRUE(is_answered("HTTP/1.1 200 "));
}

TEST_F(http_session_test, skips_empty_lines_before_a_request_in_whatever_pieces_they_come) {
  const std::string bytes = "\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"
                            "\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n";
  serve(bytes);
  EXPECT_TRUE(is_answered("page /b"));
  serve("");
  for (const char c : bytes) {
    client.send({&c, 1});
    loop.turn(1ms);
  }
  EXPECT_TRUE(is_answered("page /b"));
  EXPECT_EQ(rejected(reject_reason::bad_request), 0U);
}

TEST_F(http_session_test, skips_a_few_empty_lines_only) {
  std::string empty;
  for (unsigned i = 0; i < max_empty_lines; ++i)
    empty += "\r\n";
  serve(empty + "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(is_answered("HTTP/1.1 200 "));
  serve(empty + "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(is_answered("HTTP/1.1 400 "));
  serve("\r\rGET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(is_answered("HTTP/1.1 400 "));
}

TEST_F(http_session_test, gives_up_one_that_sends_a_half_empty_line) {
  serve("\r");
  EXPECT_TRUE(is_over());
  EXPECT_EQ(rejected(reject_reason::timeout), 1U);
}

TEST_F(http_session_test, serves_absolute_targets) {
  serve("GET http://y:8000/ HTTP/1.1\r\nHost: x\r\n\r\nGET http://y HTTP/1.1\r\nHost: x\r\n\r\n"
        "GET ws://y/ws/games?echo=false HTTP/1.1\r\n"
        + upgrade_fields);
  EXPECT_TRUE(is_answered("HTTP/1.1 101 "));
  EXPECT_EQ(pages, 2);
  ASSERT_EQ(asked_for.size(), 1U);
  EXPECT_EQ(asked_for[0].room, "games");
  session->abort(close_reason::drain);
}

TEST_F(http_session_test, tells_pages_the_host_asked_for_and_asks_the_guard_first) {
  std::vector<std::string> hosts;
  paths.set_guard([&](const http_request& request) -> std::optional<page_response> {
    hosts.emplace_back(request.host);
    if (request.field(boost::beast::http::field::authorization) == "Bearer key")
      return std::nullopt;
    return text_response(401, "no");
  });
  serve("GET http://y:8000/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer key\r\n\r\n"
        "POST / HTTP/1.1\r\nHost: x:1\r\n\r\n");
  EXPECT_TRUE(is_answered("HTTP/1.1 401 "));
  EXPECT_TRUE(client.got.starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(pages, 1);
  EXPECT_EQ(hosts, (std::vector<std::string>{"y:8000", "x:1"}));
}

TEST_F(http_session_test, answers_400_to_what_is_no_http) {
  serve("\x16hello\r\n\r\n");
  EXPECT_TRUE(is_answered("HTTP/1.1 400 "));
  EXPECT_TRUE(is_over());
  EXPECT_EQ(rejected(reject_reason::bad_request), 1U);
}

TEST_F(http_session_test, says_nothing_to_a_client_that_speaks_tls) {
  serve("\x16\x03\x01 hello\r\n\r\n");
  EXPECT_TRUE(is_over());
  EXPECT_EQ(client.got, "");
  EXPECT_EQ(rejected(reject_reason::bad_request), 1U);
}

TEST_F(http_session_test, tells_one_whose_address_has_too_many_and_counts_it_until_it_is_gone) {
  address_counts addresses{1};
  const auto here = boost::asio::ip::make_address("192.0.2.1");
  const auto first = addresses.arrive(here);
  serve("GET /ws HTTP/1.1\r\n" + upgrade_fields, addresses.arrive(here));
  EXPECT_TRUE(is_answered("HTTP/1.1 429 "));
  EXPECT_NE(client.got.find("Retry-After: 1\r\n"), std::string::npos);
  EXPECT_NE(client.got.find("too many connections from this address"), std::string::npos);
  EXPECT_EQ(rejected(reject_reason::address), 1U);
  EXPECT_TRUE(asked_for.empty());
  EXPECT_EQ(addresses.arrive(here).what, address_counts::verdict::shut) << "it lingers";
  client.leave();
  EXPECT_TRUE(
    loop.until([&] { return addresses.arrive(here).what != address_counts::verdict::shut; }));
}

TEST_F(http_session_test, is_in_the_pool_until_it_is_closed) {
  serve("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(loop.context.metrics.http_connections.value(), 1U);
  EXPECT_TRUE(is_answered("HTTP/1.1 200 "));
  EXPECT_EQ(loop.context.http.size(), 1U) << "it lingers";
  client.leave();
  EXPECT_TRUE(loop.until([&] { return loop.context.http.size() == 0; }));
  EXPECT_EQ(loop.context.metrics.http_connections.value(), 0U);
}

TEST_F(http_session_test, gives_up_one_whose_request_does_not_come) {
  serve("GET / HTTP/1.1\r\nHost:");
  EXPECT_TRUE(is_over());
  EXPECT_EQ(client.got, "");
  EXPECT_EQ(rejected(reject_reason::timeout), 1U);
}

TEST_F(http_session_test, does_not_count_a_kept_connection_that_idles_out_as_rejected) {
  serve("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(is_over());
  EXPECT_TRUE(client.got.starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(rejected(reject_reason::timeout), 0U);
}

TEST_F(http_session_test, is_asked_on_every_way_that_a_handler_fails) {
  paths.add(http_method::get, "/silent", {}, [](const http_request&, responder&) {});
  paths.add(http_method::get, "/throws", {},
            [](const http_request&, responder&) { throw std::runtime_error{"a fault of ours"}; });
  paths.add(http_method::get, "/late", {}, [](const http_request&, responder& respond) {
    const auto later = respond.reply_later();
    throw std::runtime_error{"a fault of ours"};
  });
  for (const std::string path : {"/silent", "/throws", "/late"}) {
    serve("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(is_answered("HTTP/1.1 500 ")) << path;
    EXPECT_TRUE(is_over()) << path;
  }
  EXPECT_EQ(loop.context.metrics.http_failures_total.value(), 3U);
}

TEST_F(http_session_test, answers_503_at_once_when_nobody_is_left_to_answer) {
  late_responder respond;
  hold_slow_page(respond);
  serve("GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(loop.until([&] { return respond != nullptr; }));
  std::thread{[&] { respond = {}; }}.join();
  loop.turn(0ms);
  EXPECT_TRUE(is_answered("page /b"));
  EXPECT_TRUE(client.got.starts_with("HTTP/1.1 503 "));
}

TEST_F(http_session_test, takes_one_answer_and_drops_what_is_said_twice) {
  paths.add(http_method::get, "/twice", {}, [](const http_request&, responder& respond) {
    respond.reply(text_response(200, "first"));
    respond.reply(text_response(200, "second"));
  });
  serve("GET /twice HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(is_answered("page /b"));
  EXPECT_NE(client.got.find("first"), std::string::npos);
  EXPECT_EQ(client.got.find("second"), std::string::npos);
}

TEST_F(http_session_test, hands_a_connection_over_with_all_that_came_and_the_place_of_its_address) {
  std::optional<taken_connection> taken;
  paths.add(http_method::get, "/stream/{name}", {},
            [&](const http_request&, responder& respond) { taken.emplace(respond.take_over()); });
  address_counts addresses{1};
  const auto here = boost::asio::ip::make_address("192.0.2.1");
  serve("GET /stream/a HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 7\r\n\r\nbehind it",
        addresses.arrive(here));
  ASSERT_TRUE(loop.until([&] { return taken.has_value(); }));
  EXPECT_EQ(taken->request.target(), "/stream/a");
  EXPECT_EQ(taken->request["Last-Event-ID"], "7");
  EXPECT_EQ(taken->already_read, "behind it");
  EXPECT_TRUE(taken->ticket);
  EXPECT_EQ(loop.context.http.size(), 0U);
  EXPECT_EQ(taken->socket.send(boost::asio::buffer("whatever", 8)), 8U);
  EXPECT_TRUE(is_answered("whatever"));
  taken.reset();
  EXPECT_TRUE(is_over());
  EXPECT_EQ(addresses.size(), 0U);
}

} // namespace
} // namespace canang::net
