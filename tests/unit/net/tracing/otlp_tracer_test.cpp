#include "net/tracing/otlp_tracer.hpp"

#include "tests/unit/support/becomes.hpp"
#include "tests/unit/support/hook_server.hpp"

#include <gtest/gtest.h>

#include <simdjson.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace canang::net {
namespace {

using std::chrono::milliseconds;
using test::http_answer;

span one_span() {
  const auto now = span::clock::now();
  return {.at = new_trace(), .name = "one", .began = now, .ended = now};
}

std::size_t spans_in(const std::string& body) {
  simdjson::dom::parser parser;
  return parser.parse(body)["resourceSpans"].at(0)["scopeSpans"].at(0)["spans"].get_array().size();
}

trace_settings settings_for(const test::hook_server& server) {
  return {.collector = server.endpoint("/v1/traces"),
          .timeout = milliseconds{2000},
          .gathering = milliseconds{5},
          .pause = milliseconds{5}};
}

void record(otlp_tracer& tracer, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    tracer.record(one_span());
}

test::hook_server::answerer always(std::string status) {
  return [status = std::move(status)](const auto&) {
    return test::hook_server::reply{http_answer("{}", status)};
  };
}

TEST(otlp_tracer, sends_what_is_recorded) {
  test::hook_server server{always("200 OK")};
  auto settings = settings_for(server);
  settings.headers = {{"x-key", "a secret"}};
  otlp_tracer tracer{settings, {}};
  record(tracer, 3);
  EXPECT_TRUE(test::becomes([&] { return tracer.metrics().exported_total.value() == 3; }));
  EXPECT_EQ(tracer.metrics().waiting.value(), 0U);
  std::size_t told = 0;
  for (const auto& request : server.requests()) {
    EXPECT_TRUE(request.head.starts_with("POST /v1/traces HTTP/1.1\r\n")) << request.head;
    EXPECT_NE(request.head.find("x-key: a secret\r\n"), std::string::npos) << request.head;
    EXPECT_NE(request.head.find("Content-Type: application/json\r\n"), std::string::npos);
    told += spans_in(request.body);
  }
  EXPECT_EQ(told, 3U);
  EXPECT_EQ(server.accepted(), 1); // the connection is kept
}

TEST(otlp_tracer, sends_a_full_request_at_once_and_no_fuller_one) {
  test::hook_server server{always("200 OK")};
  auto settings = settings_for(server);
  settings.gathering = std::chrono::minutes{10};
  otlp_tracer tracer{settings, {}};
  record(tracer, 2 * max_spans_in_request + 1);
  EXPECT_TRUE(test::becomes(
    [&] { return tracer.metrics().exported_total.value() == 2 * max_spans_in_request; }));
  for (const auto& request : server.requests())
    EXPECT_EQ(spans_in(request.body), max_spans_in_request);
  EXPECT_EQ(tracer.metrics().waiting.value(), 1U); // until it is time, or the end
  tracer.stop();
  EXPECT_EQ(tracer.metrics().exported_total.value(), 2 * max_spans_in_request + 1);
}

TEST(otlp_tracer, tries_again_what_may_do_better) {
  for (const auto* const status : {"429 Too Many Requests", "502 Bad Gateway",
                                   "503 Service Unavailable", "504 Gateway Timeout"}) {
    std::atomic<int> asked{0};
    test::hook_server server{[&](const auto&) {
      return test::hook_server::reply{http_answer("{}", asked++ < 2 ? status : "200 OK")};
    }};
    otlp_tracer tracer{settings_for(server), {}};
    record(tracer, 1);
    EXPECT_TRUE(test::becomes([&] { return tracer.metrics().exported_total.value() == 1; }))
      << status;
    EXPECT_EQ(asked, 3) << status;
    EXPECT_EQ(tracer.metrics().dropped_total.value(), 0U) << status;
  }
}

TEST(otlp_tracer, gives_up_in_the_end) {
  test::hook_server server{always("503 Service Unavailable")};
  otlp_tracer tracer{settings_for(server), {}};
  record(tracer, 2);
  EXPECT_TRUE(test::becomes([&] { return tracer.metrics().dropped_total.value() == 2; }));
  EXPECT_EQ(server.asked() % most_trace_tries, 0U);
  EXPECT_EQ(tracer.metrics().waiting.value(), 0U);
}

TEST(otlp_tracer, does_not_try_again_what_was_refused) {
  for (const auto* const status : {"400 Bad Request", "401 Unauthorized", "404 Not Found",
                                   "413 Content Too Large", "500 Internal Server Error"}) {
    test::hook_server server{always(status)};
    otlp_tracer tracer{settings_for(server), {}};
    record(tracer, 1);
    EXPECT_TRUE(test::becomes([&] { return tracer.metrics().dropped_total.value() == 1; }))
      << status;
    EXPECT_EQ(server.asked(), 1U) << status;
  }
}

TEST(otlp_tracer, counts_what_the_collector_did_not_want) {
  test::hook_server server{[](const auto&) {
    return test::hook_server::reply{http_answer(R"({"partialSuccess":{"rejectedSpans":"1"}})")};
  }};
  auto settings = settings_for(server);
  settings.gathering = std::chrono::minutes{10};
  otlp_tracer tracer{settings, {}};
  record(tracer, max_spans_in_request);
  EXPECT_TRUE(test::becomes([&] { return tracer.metrics().rejected_total.value() == 1; }));
  EXPECT_EQ(tracer.metrics().exported_total.value(), max_spans_in_request - 1);
}

TEST(otlp_tracer, does_not_wait_longer_than_that_for_an_answer) {
  std::atomic<bool> is_over{false};
  std::atomic<int> asked{0};
  test::hook_server server{[&](const auto&) {
    if (asked++ == 0) {
      EXPECT_TRUE(test::becomes([&] { return is_over.load(); }));
    }
    return test::hook_server::reply{http_answer("{}")};
  }};
  auto settings = settings_for(server);
  settings.timeout = milliseconds{20};
  otlp_tracer tracer{settings, {}};
  record(tracer, 1);
  EXPECT_TRUE(test::becomes([&] { return tracer.metrics().exported_total.value() == 1; }));
  EXPECT_GE(asked, 2);
  is_over = true;
}

TEST(otlp_tracer, drops_what_comes_when_too_many_wait) {
  std::atomic<bool> is_over{false};
  test::hook_server server{[&](const auto&) {
    EXPECT_TRUE(test::becomes([&] { return is_over.load(); }));
    return test::hook_server::reply{http_answer("{}")};
  }};
  otlp_tracer tracer{settings_for(server), {}};
  record(tracer, max_waiting_spans + 10);
  EXPECT_EQ(tracer.metrics().dropped_total.value(), 10U);
  EXPECT_EQ(tracer.metrics().waiting.value(), max_waiting_spans);
  is_over = true;
  EXPECT_TRUE(
    test::becomes([&] { return tracer.metrics().exported_total.value() == max_waiting_spans; }));
}

TEST(otlp_tracer, tries_at_once_where_a_kept_connection_was_closed) {
  test::hook_server server{[](const auto&) {
    return test::hook_server::reply{http_answer("{}"), true}; // kept by what it says
  }};
  auto settings = settings_for(server);
  settings.pause = std::chrono::minutes{10};
  otlp_tracer tracer{settings, {}};
  for (std::uint64_t i = 1; i <= 20; ++i) {
    record(tracer, 1);
    ASSERT_TRUE(test::becomes([&] { return tracer.metrics().exported_total.value() == i; })) << i;
  }
}

TEST(otlp_tracer, says_whether_it_has_a_place_and_counts_what_was_not_made) {
  trace_settings settings{.collector = hook_endpoint{.host = "127.0.0.1", .port = "9"}};
  settings.gathering = std::chrono::minutes{10};
  settings.pause = std::chrono::minutes{10};
  otlp_tracer tracer{settings, {}};
  EXPECT_TRUE(tracer.has_place());
  record(tracer, max_waiting_spans);
  EXPECT_FALSE(tracer.has_place());
  tracer.lose(7);
  EXPECT_EQ(tracer.metrics().dropped_total.value(), 7U);
}

TEST(otlp_tracer, does_not_hold_up_the_end_where_nobody_listens) {
  trace_settings settings;
  {
    test::hook_server server{always("200 OK")};
    settings = settings_for(server);
  }
  settings.pause = std::chrono::minutes{10};
  const auto began = span::clock::now();
  {
    otlp_tracer tracer{settings, {}};
    record(tracer, 1);
  }
  EXPECT_LT(span::clock::now() - began, last_spans_timeout);
}

TEST(otlp_tracer, follows_the_share_that_it_is_told) {
  trace_settings settings{.collector = hook_endpoint{.host = "127.0.0.1", .port = "9"}};
  const auto followed = [&](double share) {
    settings.sample = share;
    otlp_tracer tracer{settings, {}};
    int count = 0;
    for (int i = 0; i < 10'000; ++i)
      count += tracer.begin() ? 1 : 0;
    return count;
  };
  EXPECT_EQ(followed(0), 0);
  EXPECT_EQ(followed(1), 10'000);
  EXPECT_NEAR(followed(0.5), 5000, 400);
  EXPECT_NEAR(followed(0.01), 100, 80);
}

} // namespace
} // namespace canang::net
