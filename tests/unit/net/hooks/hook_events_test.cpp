#include "net/hooks/hook_events.hpp"

#include "net/hooks/hook_caller.hpp"
#include "net/hooks/hook_limits.hpp"
#include "tests/unit/support/hook_server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>

namespace canang::net {
namespace {

using namespace std::chrono_literals;
using test::becomes;
using test::hook_server;
using test::http_answer;

struct hook_events_test : testing::Test {
  hook_settings settings;

  hook_events_test() { settings.timeout = 10s; }

  hook_settings& to(const hook_server& server) {
    settings.endpoints.fill(server.endpoint());
    return settings;
  }

  static void tell(hook_caller& caller, const std::string& event,
                   hook_kind what = hook_kind::rooms) {
    caller.tell({.what = what, .body = event});
  }

  static const hook_metrics::of_hook& counts(const hook_caller& caller,
                                             hook_kind what = hook_kind::rooms) {
    return caller.metrics().hooks[static_cast<std::size_t>(what)];
  }

  static std::uint64_t requests(const hook_caller& caller, hook_result_kind result) {
    return counts(caller).requests_total[static_cast<std::size_t>(result)].value();
  }
};

hook_server::reply take(const hook_server::request& /*told*/) { return {http_answer("{}")}; }

TEST_F(hook_events_test, are_told_together_in_their_order) {
  hook_server server{take};
  hook_caller caller{to(server)};
  for (const auto* event : {"1", "2", "3"})
    tell(caller, event);
  EXPECT_TRUE(becomes([&] { return counts(caller).events_total.value() == 3; }));
  ASSERT_EQ(server.asked(), 1U);
  EXPECT_EQ(server.requests()[0].body, R"({"events":[1,2,3]})");
  EXPECT_EQ(counts(caller).events_waiting.value(), 0U);
  EXPECT_EQ(counts(caller).event_bytes.value(), 0U);
  tell(caller, "4");
  EXPECT_TRUE(becomes([&] { return server.asked() == 2; })) << "and then the next ones";
}

TEST_F(hook_events_test, are_signed_like_questions) {
  settings.secret = "sixteen characters";
  hook_server server{take};
  hook_caller caller{to(server)};
  tell(caller, "1");
  ASSERT_TRUE(becomes([&] { return server.asked() == 1; }));
  EXPECT_NE(server.requests()[0].head.find("X-Canang-Signature: v1="), std::string::npos);
}

TEST_F(hook_events_test, are_told_at_once_when_there_are_as_many_as_go_in_a_request) {
  settings.event_gathering = 1h;
  hook_server server{take};
  hook_caller caller{to(server)};
  for (std::size_t i = 0; i < max_events_in_request; ++i)
    tell(caller, "1");
  EXPECT_TRUE(
    becomes([&] { return counts(caller).events_total.value() == max_events_in_request; }));
}

TEST_F(hook_events_test, are_told_in_requests_that_are_not_too_long) {
  settings.event_gathering = 20ms;
  hook_server server{take};
  hook_caller caller{to(server)};
  const std::string event = '"' + std::string(100'000, 'x') + '"';
  for (int i = 0; i < 10; ++i)
    tell(caller, event);
  EXPECT_TRUE(becomes([&] { return counts(caller).events_total.value() == 10; }));
  for (const auto& one : server.requests())
    EXPECT_LE(one.body.size(), max_event_request_bytes + 2);
}

TEST_F(hook_events_test, are_taken_with_any_status_of_success) {
  hook_server server{
    [](const auto&) { return hook_server::reply{"HTTP/1.1 204 No Content\r\n\r\n"}; }};
  hook_caller caller{to(server)};
  tell(caller, "1");
  EXPECT_TRUE(becomes([&] { return counts(caller).events_total.value() == 1; }));
}

TEST_F(hook_events_test, that_were_not_taken_are_told_again_before_those_that_came_later) {
  std::atomic<int> failures{3};
  settings.event_pause = 5ms;
  hook_server server{[&](const auto&) {
    return hook_server::reply{failures-- > 0 ? http_answer("", "500 Internal Server Error")
                                             : http_answer("{}")};
  }};
  hook_caller caller{to(server)};
  tell(caller, "1");
  ASSERT_TRUE(becomes([&] { return server.asked() >= 1; }));
  tell(caller, "2");
  EXPECT_TRUE(becomes([&] { return counts(caller).events_total.value() == 2; }));
  const auto asked = server.requests();
  ASSERT_EQ(asked.size(), 5U);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(asked[i].body, R"({"events":[1]})");
  EXPECT_EQ(asked[4].body, R"({"events":[2]})");
  EXPECT_EQ(requests(caller, hook_result_kind::status), 3U);
}

TEST_F(hook_events_test, that_are_never_taken_are_lost_after_some_tries) {
  std::atomic<bool> is_bad{true};
  settings.event_pause = 1ms;
  hook_server server{[&](const hook_server::request& told) {
    is_bad = told.body == R"({"events":[1]})";
    return hook_server::reply{is_bad ? http_answer("", "400 Bad Request") : http_answer("{}")};
  }};
  hook_caller caller{to(server)};
  tell(caller, "1");
  EXPECT_TRUE(becomes([&] { return counts(caller).events_dropped.value() == 1; }));
  EXPECT_EQ(server.asked(), most_event_tries);
  tell(caller, "2");
  EXPECT_TRUE(becomes([&] { return counts(caller).events_total.value() == 1; }))
    << "the next ones are not";
}

TEST_F(hook_events_test, wait_for_an_answer_no_longer_than_it_may_take) {
  settings.timeout = 200ms;
  settings.event_pause = 1ms;
  std::atomic<int> asked{0};
  hook_server server{[&](const auto&) {
    if (asked++ == 0)
      becomes([&] { return asked > 1; });
    return hook_server::reply{http_answer("{}")};
  }};
  hook_caller caller{to(server)};
  tell(caller, "1");
  EXPECT_TRUE(becomes([&] { return counts(caller).events_total.value() == 1; }));
  EXPECT_GE(requests(caller, hook_result_kind::timeout), 1U);
}

TEST_F(hook_events_test, are_lost_where_too_many_wait) {
  settings.timeout = 1s; // which the end takes, too
  hook_server never{[&never](const auto&) {
    becomes([&] { return never.is_ending(); });
    return hook_server::reply{{}, true};
  }};
  hook_caller caller{to(never)};
  for (std::size_t i = 0; i < max_waiting_events + 5; ++i)
    tell(caller, "1");
  EXPECT_EQ(counts(caller).events_dropped.value(), 5U);
  const std::string mebibyte(1024 * 1024, 'x');
  for (int i = 0; i < 20; ++i)
    tell(caller, mebibyte, hook_kind::disconnect);
  EXPECT_EQ(counts(caller, hook_kind::disconnect).events_dropped.value(), 4U);
}

TEST_F(hook_events_test, that_wait_at_the_end_are_told_first) {
  settings.event_gathering = 1h;
  hook_server server{take};
  hook_caller caller{to(server)};
  for (std::size_t i = 0; i < max_events_in_request + 10; ++i)
    tell(caller, "1");
  tell(caller, "2", hook_kind::disconnect);
  caller.stop();
  EXPECT_EQ(counts(caller).events_total.value(), max_events_in_request + 10);
  EXPECT_EQ(counts(caller, hook_kind::disconnect).events_total.value(), 1U);
}

TEST_F(hook_events_test, hold_up_the_end_no_longer_than_an_answer_may_take) {
  settings.timeout = 50ms;
  hook_server never{[&never](const auto&) {
    becomes([&] { return never.is_ending(); });
    return hook_server::reply{{}, true};
  }};
  hook_caller caller{to(never)};
  for (int i = 0; i < 1000; ++i)
    tell(caller, "1");
  const auto began = std::chrono::steady_clock::now();
  caller.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
}

TEST_F(hook_events_test, are_nothing_where_nobody_is_told) {
  hook_server server{take};
  settings.endpoints[static_cast<std::size_t>(hook_kind::connect)] = server.endpoint();
  hook_caller caller{settings};
  tell(caller, "1");
  caller.stop();
  EXPECT_EQ(server.asked(), 0U);
}

} // namespace
} // namespace canang::net
