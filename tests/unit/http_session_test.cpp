#include "net/http/session.hpp"
#include "tests/unit/support/loopback.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace canang::net {
namespace {

using namespace std::chrono_literals;
using test::client_frame;

const std::string upgrade_fields = "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                                   "Sec-WebSocket-Version: 13\r\n"
                                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

struct http_session_test : testing::Test, websocket_acceptor {
  test::turning_loop loop{{64 << 10U, 1 << 20U, 200ms, 200ms}};
  test::raw_client client{tcp_socket{loop.io.get_executor()}};
  routes paths;
  std::optional<reject_reason> refused_for;
  bool takes_sessions = true;
  int pages = 0;
  std::vector<connection_parameters> asked_for;
  test::session_log log;
  session_ptr session;

  http_session_test() {
    paths.websocket = this;
    paths.page = [this](const page_request& request) {
      ++pages;
      return text_response(request.path == "/" ? 200 : 404, "page " + std::string{request.path});
    };
  }

  /// `/slow` is answered by whoever calls `respond`, which is set when it is asked for.
  void hold_slow_page(page_responder& respond) {
    paths.slow_page = [&respond](const page_request& request, page_responder responder) {
      if (request.path != "/slow")
        return false;
      respond = std::move(responder);
      return true;
    };
  }

  [[nodiscard]] std::optional<reject_reason> refusal() noexcept override { return refused_for; }
  void on_session(session_ptr opened, const wire_format&,
                  connection_parameters&& parameters) override {
    asked_for.push_back(std::move(parameters));
    if (!takes_sessions)
      return;
    session = std::move(opened);
    session->attach(std::make_unique<test::noting_handler>(log));
    session->open();
  }

  void serve(std::string_view bytes) {
    auto [server, other_end] = test::connected_pair(loop.io);
    client = std::move(other_end);
    serve_http(loop.context, paths, std::move(server));
    client.send(bytes);
  }

  bool is_answered(std::string_view text) {
    return loop.until([&] { return client.has(text); });
  }

  std::uint64_t rejected(reject_reason reason) const {
    return loop.context.metrics.rejected_total[static_cast<std::size_t>(reason)].value();
  }
};

TEST_F(http_session_test, answers_pipelined_requests_in_order) {
  serve("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n"
        "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(loop.until([&] {
    client.receive();
    return client.is_over;
  }));
  const auto first = client.got.find("page /\n");
  const auto second = client.got.find("page /b\n");
  ASSERT_NE(second, std::string::npos) << client.got;
  EXPECT_LT(first, second);
  EXPECT_EQ(client.got.find("page", second + 1), std::string::npos) << "HEAD has no body";
  EXPECT_EQ(pages, 3);
}

TEST_F(http_session_test, answers_a_slow_page_when_its_answer_comes_and_others_after_it) {
  page_responder respond;
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
  page_responder respond;
  hold_slow_page(respond);
  serve("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(is_answered("HTTP/1.1 503 "));
  EXPECT_NE(client.got.find(R"({"reason":"no answer in time"})"), std::string::npos);
  respond(text_response(200, "too late"));
  client.send("GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(is_answered("page /b"));
  EXPECT_EQ(client.got.find("too late"), std::string::npos);
}

TEST_F(http_session_test, posts_what_there_is_to_post) {
  paths.action = [](const page_request& request) -> std::optional<page_response> {
    if (request.path != "/do")
      return std::nullopt;
    return text_response(202, "done");
  };
  serve("POST /do HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
        "POST /other HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(is_answered("HTTP/1.1 405 "));
  EXPECT_TRUE(client.got.starts_with("HTTP/1.1 202 "));
}

TEST_F(http_session_test, refuses_posts_of_web_pages_and_with_a_body) {
  int posts = 0;
  paths.action = [&](const page_request&) -> std::optional<page_response> {
    ++posts;
    return text_response(202, "done");
  };
  serve("POST /do HTTP/1.1\r\nHost: x\r\nOrigin: http://evil\r\n\r\n");
  EXPECT_TRUE(is_answered("HTTP/1.1 403 "));
  serve("POST /do HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: cross-site\r\n\r\n");
  EXPECT_TRUE(is_answered("HTTP/1.1 403 "));
  serve("POST /do HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_TRUE(is_answered("HTTP/1.1 400 "));
  EXPECT_EQ(posts, 0);
}

TEST_F(http_session_test, closes_a_connection_after_its_share_of_requests) {
  std::string many;
  for (unsigned i = 0; i <= max_requests_a_connection; ++i)
    many += "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  serve(many);
  EXPECT_TRUE(loop.until([&] {
    client.receive();
    return client.is_over;
  }));
  EXPECT_EQ(pages, static_cast<int>(max_requests_a_connection));
  EXPECT_NE(client.got.find("Connection: close"), std::string::npos);
}

TEST_F(http_session_test, becomes_a_websocket_session_and_hands_on_what_came_behind_the_handshake) {
  serve("GET /ws/games?echo=false HTTP/1.1\r\n" + upgrade_fields + client_frame(0x81, "early"));
  ASSERT_TRUE(loop.until([&] { return !log.messages.empty(); }));
  EXPECT_EQ(log.messages[0].second, "early");
  ASSERT_EQ(asked_for.size(), 1U);
  EXPECT_EQ(asked_for[0].room, "games");
  EXPECT_FALSE(asked_for[0].echo);
  EXPECT_TRUE(is_answered("HTTP/1.1 101 "));
}

TEST_F(http_session_test, becomes_a_websocket_session_after_pages_too) {
  serve("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /ws HTTP/1.1\r\n" + upgrade_fields);
  EXPECT_TRUE(is_answered("HTTP/1.1 101 "));
  EXPECT_EQ(asked_for.size(), 1U);
  session->abort(close_reason::drain);
}

TEST_F(http_session_test, closes_when_the_acceptor_does_not_take_the_session) {
  takes_sessions = false;
  serve("GET /ws HTTP/1.1\r\n" + upgrade_fields);
  EXPECT_TRUE(loop.until([&] {
    client.receive();
    return client.is_over;
  }));
  EXPECT_EQ(client.got, "");
}

TEST_F(http_session_test, answers_503_with_the_reason_to_one_that_is_not_taken) {
  const std::pair<reject_reason, std::string> reasons[] = {
    {reject_reason::unavailable, "no new connections"},
    {reject_reason::connections, "as many connections as it may"},
    {reject_reason::memory, "no memory"},
    {reject_reason::rate, "too many new connections at once"}};
  for (const auto& [reason, text] : reasons) {
    refused_for = reason;
    serve("GET /ws HTTP/1.1\r\n" + upgrade_fields);
    EXPECT_TRUE(is_answered(text));
    EXPECT_TRUE(client.got.starts_with("HTTP/1.1 503 "));
    EXPECT_NE(client.got.find("Retry-After: 1\r\n"), std::string::npos);
    EXPECT_EQ(rejected(reason), 1U);
  }
  EXPECT_TRUE(asked_for.empty());
}

TEST_F(http_session_test, serves_the_websocket_paths_as_pages_when_nobody_takes_them) {
  paths.websocket = nullptr;
  serve("GET /ws HTTP/1.1\r\n" + upgrade_fields);
  EXPECT_TRUE(is_answered("page /ws"));
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
  EXPECT_TRUE(loop.until([&] {
    client.receive();
    return client.is_over;
  }));
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
  paths.guard = [&](const page_request& request) -> std::optional<page_response> {
    hosts.emplace_back(request.host);
    if (request.authorization == "Bearer key")
      return std::nullopt;
    return text_response(401, "no");
  };
  serve("GET http://y:8000/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer key\r\n\r\n"
        "POST / HTTP/1.1\r\nHost: x:1\r\n\r\n");
  EXPECT_TRUE(is_answered("HTTP/1.1 401 "));
  EXPECT_TRUE(client.got.starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(pages, 1);
  EXPECT_EQ(hosts, (std::vector<std::string>{"y:8000", "x:1"}));
}

TEST_F(http_session_test, names_the_subprotocol_of_a_handshake_and_none_where_none_was_offered) {
  const auto offering = [](const std::string& lines) {
    return "GET /ws HTTP/1.1\r\n" + lines + upgrade_fields;
  };
  serve(offering("Sec-WebSocket-Protocol: v2.chat\r\nSec-WebSocket-Protocol: v1.chat\r\n"));
  EXPECT_TRUE(is_answered("\r\nSec-WebSocket-Protocol: v2.chat\r\n"));
  session->abort(close_reason::drain);
  ASSERT_TRUE(paths.handshakes.subprotocols.add("v1.chat"));
  serve(offering("Sec-WebSocket-Protocol: v2.chat,v1.chat\r\n"));
  EXPECT_TRUE(is_answered("\r\nSec-WebSocket-Protocol: v1.chat\r\n"));
  session->abort(close_reason::drain);
  serve(offering(""));
  EXPECT_TRUE(is_answered("HTTP/1.1 101 "));
  EXPECT_EQ(client.got.find("Sec-WebSocket-Protocol"), std::string::npos);
  session->abort(close_reason::drain);
  for (const char* wrong : {"v2.chat", "v1 chat", "\"v1.chat\""}) {
    serve(offering("Sec-WebSocket-Protocol: " + std::string{wrong} + "\r\n"));
    EXPECT_TRUE(is_answered("HTTP/1.1 400 ")) << wrong;
  }
}

TEST_F(http_session_test, answers_403_to_pages_of_another_host_before_the_room_is_looked_at) {
  serve("GET /ws/%zz HTTP/1.1\r\nOrigin: http://evil\r\n" + upgrade_fields);
  EXPECT_TRUE(is_answered("HTTP/1.1 403 "));
  EXPECT_EQ(rejected(reject_reason::origin), 1U);
  serve("GET /ws HTTP/1.1\r\nOrigin: http://x\r\n" + upgrade_fields);
  EXPECT_TRUE(is_answered("HTTP/1.1 101 "));
  session->abort(close_reason::drain);
  serve("GET http://evil/ws HTTP/1.1\r\nOrigin: http://x\r\n" + upgrade_fields);
  EXPECT_TRUE(is_answered("HTTP/1.1 403 ")) << "the target is the host, not Host";
}

TEST_F(http_session_test, answers_400_to_what_is_no_http) {
  serve("\x16\x03\x01 hello\r\n\r\n");
  EXPECT_TRUE(is_answered("HTTP/1.1 400 "));
  EXPECT_TRUE(loop.until([&] {
    client.receive();
    return client.is_over;
  }));
  EXPECT_EQ(rejected(reject_reason::bad_request), 1U);
}

TEST_F(http_session_test, tells_one_whose_address_has_too_many_and_counts_it_until_it_is_gone) {
  address_counts addresses{1};
  const auto here = boost::asio::ip::make_address("192.0.2.1");
  const auto first = addresses.arrive(here);
  auto [server, other_end] = test::connected_pair(loop.io);
  client = std::move(other_end);
  serve_http(loop.context, paths, std::move(server), addresses.arrive(here));
  client.send("GET /ws HTTP/1.1\r\n" + upgrade_fields);
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

TEST_F(http_session_test, hands_the_place_of_its_address_on_to_the_websocket_session) {
  address_counts addresses{1};
  const auto here = boost::asio::ip::make_address("192.0.2.1");
  auto [server, other_end] = test::connected_pair(loop.io);
  client = std::move(other_end);
  serve_http(loop.context, paths, std::move(server), addresses.arrive(here));
  client.send("GET /ws HTTP/1.1\r\n" + upgrade_fields);
  ASSERT_TRUE(is_answered("HTTP/1.1 101 "));
  EXPECT_EQ(loop.context.http.size(), 0U) << "it is no HTTP connection any more";
  EXPECT_EQ(addresses.arrive(here).what, address_counts::verdict::told);
  session->abort(close_reason::drain);
  session.reset();
  EXPECT_TRUE(loop.until([&] { return addresses.size() == 0; }));
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

/// A loop with places for three connections that are not WebSocket sessions.
struct full_http_pool_test : testing::Test {
  test::turning_loop loop{[] {
    session_limits limits;
    limits.max_http_connections = 3;
    return limits;
  }()};
  routes paths;
  std::vector<test::raw_client> clients;

  full_http_pool_test() {
    paths.page = [](const page_request& request) {
      return text_response(200, "page " + std::string{request.path});
    };
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

TEST_F(http_session_test, gives_up_one_whose_request_does_not_come) {
  serve("GET / HTTP/1.1\r\nHost:");
  EXPECT_TRUE(loop.until([&] {
    client.receive();
    return client.is_over;
  }));
  EXPECT_EQ(client.got, "");
  EXPECT_EQ(rejected(reject_reason::timeout), 1U);
}

TEST_F(http_session_test, does_not_count_a_kept_connection_that_idles_out_as_rejected) {
  serve("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(loop.until([&] {
    client.receive();
    return client.is_over;
  }));
  EXPECT_TRUE(client.got.starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(rejected(reject_reason::timeout), 0U);
}

} // namespace
} // namespace canang::net
