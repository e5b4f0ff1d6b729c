#include "net/hooks/hook_caller.hpp"

#include "net/hooks/hook_breaker.hpp"
#include "net/hooks/hook_limits.hpp"
#include "net/hooks/hook_signature.hpp"
#include "tests/unit/support/hook_server.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>

namespace canang::net {
namespace {

using namespace std::chrono_literals;
using test::becomes;
using test::hook_server;
using test::http_answer;

constexpr const char* yes = R"({"result":{}})";

hook_server::reply say_yes(const hook_server::request& /*asked*/) { return {http_answer(yes)}; }

/// One that takes part in nothing: its port is free again.
hook_endpoint nobody() {
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor taken{io, {boost::asio::ip::make_address("127.0.0.1"), 0}};
  return {.host = "127.0.0.1",
          .port = std::to_string(taken.local_endpoint().port()),
          .target = "/",
          .shown = "http://127.0.0.1"};
}

struct hook_caller_test : testing::Test {
  boost::asio::io_context home{1};
  std::shared_ptr<const char> here = std::make_shared<const char>();
  hook_settings settings;

  hook_caller_test() { settings.timeout = 10s; }

  /// Of all kinds.
  hook_settings& to(const hook_endpoint& endpoint) {
    settings.endpoints.fill(endpoint);
    return settings;
  }

  hook_order order(std::function<void(hook_outcome&&)> done, std::string body = "{}",
                   hook_kind what = hook_kind::subscribe) {
    return {
      .what = what, .body = std::move(body), .asker = here, .home = &home, .done = std::move(done)};
  }

  /// What it is told; none: nothing within 10 s.
  std::optional<hook_outcome> ask(hook_caller& caller, hook_kind what = hook_kind::subscribe) {
    std::optional<hook_outcome> told;
    caller.ask(order([&](hook_outcome&& outcome) { told = std::move(outcome); }, "{}", what));
    run_until([&] { return told.has_value(); });
    return told;
  }

  void run_until(const std::function<bool()>& condition) {
    EXPECT_TRUE(becomes([&] {
      home.restart();
      home.poll();
      return condition();
    }));
  }

  static bool is_fault(const std::optional<hook_outcome>& outcome) {
    return outcome && std::holds_alternative<hook_fault>(*outcome);
  }

  static bool is_yes(const std::optional<hook_outcome>& outcome) {
    return outcome && std::holds_alternative<hook_result>(*outcome);
  }

  /// Whether nobody was there to ask.
  static bool is_absent(const std::optional<hook_outcome>& outcome) {
    return is_fault(outcome) && std::get<hook_fault>(*outcome).is_absent;
  }

  static std::uint64_t count(const hook_caller& caller, hook_result_kind result,
                             hook_kind what = hook_kind::subscribe) {
    return caller.metrics()
      .hooks[static_cast<std::size_t>(what)]
      .requests_total[static_cast<std::size_t>(result)]
      .value();
  }
};

TEST_F(hook_caller_test, posts_what_is_asked_and_tells_what_is_answered) {
  hook_server server{
    [](const auto&) { return hook_server::reply{http_answer(R"({"result":{"data":{"a":1}}})")}; }};
  settings.secret = "sixteen characters";
  hook_caller caller{to(server.endpoint())};
  std::optional<hook_outcome> told;
  auto asked =
    order([&](hook_outcome&& outcome) { told = std::move(outcome); }, R"({"user":"ann"})");
  asked.origin = std::make_shared<const hook_origin>(
    hook_origin{.headers = {{"cookie", "session=1"}, {"user-agent", "Mozilla"}}});
  caller.ask(std::move(asked));
  run_until([&] { return told.has_value(); });
  ASSERT_TRUE(is_yes(told));
  EXPECT_EQ(std::get<hook_result>(*told).data->bytes, R"({"a":1})");
  ASSERT_EQ(server.asked(), 1U);
  const auto [head, body] = server.requests()[0];
  EXPECT_EQ(body, R"({"user":"ann"})");
  EXPECT_TRUE(head.starts_with("POST /hook?key=1 HTTP/1.1\r\n")) << head;
  for (const auto* field : {"Content-Type: application/json\r\n", "cookie: session=1\r\n"})
    EXPECT_NE(head.find(field), std::string::npos) << head;
  EXPECT_NE(head.find("user-agent: Mozilla\r\n"), std::string::npos) << head;
  EXPECT_EQ(head.find("canang\r\n"), std::string::npos) << "it says itself what it is\n" << head;
  const auto at = std::stoll(head.substr(head.find("X-Canang-Timestamp: ") + 20));
  const auto signature = sign_hook_request(settings.secret, at, body)[1];
  EXPECT_NE(head.find(signature.first + ": " + signature.second), std::string::npos) << head;
  EXPECT_EQ(count(caller, hook_result_kind::ok), 1U);
}

TEST_F(hook_caller_test, tells_refusals_in_the_programs_own_words) {
  hook_server server{[](const hook_server::request& asked) {
    return hook_server::reply{http_answer(asked.body == "{}"
                                            ? R"({"error":{"code":1000,"message":"no"}})"
                                            : R"({"disconnect":{"code":4001,"reason":"out"}})")};
  }};
  hook_caller caller{to(server.endpoint())};
  const auto told = ask(caller);
  ASSERT_TRUE(told && std::holds_alternative<hook_refusal>(*told));
  EXPECT_EQ(std::get<hook_refusal>(*told).text, "no");
  std::optional<hook_outcome> other;
  caller.ask(order([&](hook_outcome&& outcome) { other = std::move(outcome); }, "{ }"));
  run_until([&] { return other.has_value(); });
  EXPECT_TRUE(std::get<hook_refusal>(*other).is_disconnect);
  EXPECT_EQ(count(caller, hook_result_kind::error), 1U);
  EXPECT_EQ(count(caller, hook_result_kind::disconnect), 1U);
}

TEST_F(hook_caller_test, keeps_a_connection_for_the_next_request_of_any_hook) {
  hook_server server{say_yes};
  hook_caller caller{to(server.endpoint())};
  for (const auto what : {hook_kind::subscribe, hook_kind::rpc, hook_kind::publish})
    EXPECT_TRUE(is_yes(ask(caller, what)));
  EXPECT_EQ(server.accepted(), 1);
  EXPECT_EQ(caller.metrics().connections_total.value(), 1U);
}

TEST_F(hook_caller_test, asks_over_a_new_connection_where_the_server_has_closed_the_old_one) {
  hook_server server{[](const auto&) { return hook_server::reply{http_answer(yes), true}; }};
  hook_caller caller{to(server.endpoint())};
  for (int i = 0; i < 20; ++i)
    EXPECT_TRUE(is_yes(ask(caller))) << i;
  EXPECT_GE(server.accepted(), 20);
  EXPECT_EQ(count(caller, hook_result_kind::unreachable), 0U);
}

TEST_F(hook_caller_test, takes_no_answer_for_one_that_is_none) {
  const auto of_status = [](const std::string& status) { return http_answer(yes, status); };
  const std::pair<std::string, hook_result_kind> answers[]{
    {of_status("500 Internal Server Error"), hook_result_kind::status},
    {of_status("301 Moved Permanently"), hook_result_kind::status},
    {of_status("201 Created"), hook_result_kind::status},
    {"HTTP/1.1 204 No Content\r\n\r\n", hook_result_kind::status},
    {http_answer("<html></html>"), hook_result_kind::bad_answer},
    {http_answer(""), hook_result_kind::bad_answer},
    {http_answer("{}"), hook_result_kind::bad_answer},
    {http_answer(R"({"result":{"data":)"), hook_result_kind::bad_answer},
    {"SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n", hook_result_kind::bad_answer},
    {http_answer(std::string(max_hook_answer_bytes + 1, ' ')), hook_result_kind::too_large},
    {"HTTP/1.1 200 OK\r\nX: " + std::string(17 * 1024, 'x') + "\r\n\r\n",
     hook_result_kind::too_large},
    {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", hook_result_kind::unreachable},
  };
  for (const auto& [bytes, result] : answers) {
    hook_server server{[&bytes = bytes](const auto&) { return hook_server::reply{bytes, true}; }};
    hook_caller caller{to(server.endpoint())};
    EXPECT_TRUE(is_fault(ask(caller))) << bytes.substr(0, 60);
    EXPECT_EQ(count(caller, result), 1U) << bytes.substr(0, 60);
    EXPECT_EQ(caller.metrics().in_flight.value(), 0U);
  }
}

TEST_F(hook_caller_test, tells_a_program_that_is_not_there_from_one_that_answers_wrongly) {
  settings.timeout = 50ms;
  const auto told = [this](const std::string& bytes) {
    hook_server server{[&](const auto&) { return hook_server::reply{bytes, true}; }};
    hook_caller caller{to(server.endpoint())};
    const auto outcome = ask(caller);
    EXPECT_TRUE(is_fault(outcome)) << bytes;
    return is_absent(outcome);
  };
  EXPECT_TRUE(told("")) << "closed";
  EXPECT_TRUE(told("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"));
  for (const auto* status : {"502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"})
    EXPECT_TRUE(told(http_answer("", status))) << status;
  for (const auto* status : {"301 Moved", "400 Bad Request", "401 Unauthorized", "403 Forbidden",
                             "404 Not Found", "500 Internal Server Error"})
    EXPECT_FALSE(told(http_answer(yes, status))) << status;
  for (const auto* body : {"", "{}", "<html>", R"({"result":[]})"})
    EXPECT_FALSE(told(http_answer(body))) << body;
  hook_caller caller{to(nobody())};
  for (unsigned i = 0; i <= hook_breaker::most_failures; ++i)
    EXPECT_TRUE(is_absent(ask(caller)));
  EXPECT_EQ(count(caller, hook_result_kind::breaker), 1U) << "this one too";
}

TEST_F(hook_caller_test, takes_no_program_for_absent_that_it_asks_too_much) {
  constexpr unsigned questions = 3 * hook_breaker::most_failures;
  settings.timeout = 200ms;
  settings.in_flight = 1;
  hook_server slow{[](const auto&) {
    std::this_thread::sleep_for(120ms); // what it takes for an answer
    return hook_server::reply{http_answer(R"({"error":{"code":1000}})")};
  }};
  hook_caller caller{to(slow.endpoint())};
  unsigned refused = 0;
  unsigned faults = 0;
  for (unsigned i = 0; i < questions; ++i)
    caller.ask(order([&](hook_outcome&& outcome) {
      refused += std::holds_alternative<hook_refusal>(outcome) ? 1 : 0;
      faults += is_fault(outcome) ? 1 : 0;
      EXPECT_FALSE(is_absent(outcome));
    }));
  run_until([&] { return refused + faults == questions; });
  EXPECT_GE(refused, 2U) << "the second has waited, and has its time all the same";
  EXPECT_EQ(count(caller, hook_result_kind::busy), faults);
  EXPECT_EQ(caller.metrics().hooks[2].breaker.value(), 0U);
}

TEST_F(hook_caller_test, reads_what_goes_before_an_answer) {
  hook_server server{[](const auto&) {
    return hook_server::reply{"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                              "HTTP/1.1 100 Continue\r\n\r\n"
                              + http_answer(yes)};
  }};
  hook_caller caller{to(server.endpoint())};
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(is_yes(ask(caller)));
  EXPECT_EQ(server.accepted(), 1);
}

TEST_F(hook_caller_test, takes_as_long_an_answer_as_may_be) {
  std::string body = yes;
  body.resize(max_hook_answer_bytes, ' ');
  hook_server server{[&](const auto&) { return hook_server::reply{http_answer(body)}; }};
  hook_caller caller{to(server.endpoint())};
  EXPECT_TRUE(is_yes(ask(caller)));
}

TEST_F(hook_caller_test, reads_no_more_of_a_long_answer_than_it_takes) {
  hook_server server{[&](const auto&) {
    return hook_server::reply{http_answer(std::string(64UL * 1024 * 1024, 'x')), true};
  }};
  hook_caller caller{to(server.endpoint())};
  EXPECT_TRUE(is_fault(ask(caller)));
  EXPECT_EQ(count(caller, hook_result_kind::too_large), 1U);
}

TEST_F(hook_caller_test, waits_for_an_answer_no_longer_than_it_may) {
  settings.timeout = 50ms;
  hook_server never{[&never](const auto&) {
    becomes([&] { return never.is_ending(); });
    return hook_server::reply{{}, true};
  }};
  hook_caller caller{to(never.endpoint())};
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(is_fault(ask(caller)));
  EXPECT_GE(std::chrono::steady_clock::now() - began, 50ms);
  EXPECT_EQ(count(caller, hook_result_kind::timeout), 1U);
  EXPECT_EQ(caller.metrics().in_flight.value(), 0U);
}

TEST_F(hook_caller_test, waits_no_longer_for_one_that_comes_byte_by_byte) {
  settings.timeout = 50ms;
  hook_server slow{[](const auto&) {
    return hook_server::reply{"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"res"};
  }};
  hook_caller caller{to(slow.endpoint())};
  EXPECT_TRUE(is_fault(ask(caller)));
  EXPECT_EQ(count(caller, hook_result_kind::timeout), 1U);
}

TEST_F(hook_caller_test, asks_a_program_that_is_not_there_no_more_for_a_while) {
  hook_caller caller{to(nobody())};
  for (unsigned i = 0; i < hook_breaker::most_failures; ++i)
    EXPECT_TRUE(is_fault(ask(caller)));
  EXPECT_EQ(count(caller, hook_result_kind::unreachable), hook_breaker::most_failures);
  EXPECT_EQ(caller.metrics().hooks[2].breaker.value(), 2U);
  const auto made = caller.metrics().connections_total.value();
  EXPECT_TRUE(is_fault(ask(caller)));
  EXPECT_EQ(count(caller, hook_result_kind::breaker), 1U);
  EXPECT_EQ(caller.metrics().connections_total.value(), made);
  EXPECT_TRUE(is_fault(ask(caller, hook_kind::rpc))) << "each hook has its own";
  EXPECT_EQ(count(caller, hook_result_kind::unreachable, hook_kind::rpc), 1U);
}

TEST_F(hook_caller_test, asks_it_again_when_it_answers_again) {
  std::atomic<bool> is_down{true};
  hook_server server{[&](const auto&) {
    return hook_server::reply{is_down ? http_answer("", "503 Service Unavailable")
                                      : http_answer(yes)};
  }};
  hook_caller caller{to(server.endpoint())};
  for (unsigned i = 0; i < hook_breaker::most_failures; ++i)
    EXPECT_TRUE(is_fault(ask(caller)));
  EXPECT_TRUE(is_fault(ask(caller)));
  EXPECT_EQ(count(caller, hook_result_kind::breaker), 1U);
  is_down = false;
  EXPECT_TRUE(becomes([&] { return is_yes(ask(caller)); }));
  EXPECT_EQ(caller.metrics().hooks[2].breaker.value(), 0U);
}

TEST_F(hook_caller_test, asks_one_that_fails_by_itself_whatever_it_says) {
  hook_server server{
    [](const auto&) { return hook_server::reply{http_answer("", "500 Internal Server Error")}; }};
  hook_caller caller{to(server.endpoint())};
  for (unsigned i = 0; i < 3 * hook_breaker::most_failures; ++i)
    EXPECT_TRUE(is_fault(ask(caller)));
  EXPECT_EQ(count(caller, hook_result_kind::status), 3 * hook_breaker::most_failures);
}

TEST_F(hook_caller_test, has_as_many_questions_under_way_as_it_may_and_the_others_wait) {
  std::atomic<int> at_once{0};
  std::atomic<int> most{0};
  std::atomic<bool> may_answer{false};
  hook_server server{[&](const auto&) {
    most = std::max<int>(most, ++at_once);
    becomes([&] { return may_answer.load(); });
    --at_once;
    return hook_server::reply{http_answer(yes)};
  }};
  settings.in_flight = 3;
  hook_caller caller{to(server.endpoint())};
  int told = 0;
  for (int i = 0; i < 10; ++i)
    caller.ask(order([&](hook_outcome&& outcome) {
      told += std::holds_alternative<hook_result>(outcome) ? 1 : 0;
    }));
  EXPECT_TRUE(becomes([&] { return caller.metrics().waiting.value() == 7 && at_once == 3; }));
  EXPECT_EQ(caller.metrics().in_flight.value(), 3U);
  may_answer = true;
  run_until([&] { return told == 10; });
  EXPECT_EQ(most, 3);
  EXPECT_EQ(caller.metrics().waiting.value(), 0U);
}

TEST_F(hook_caller_test, takes_it_for_absent_only_where_it_was_asked) {
  settings.timeout = 100ms;
  settings.in_flight = 1;
  hook_server never{[&never](const auto&) {
    becomes([&] { return never.is_ending(); });
    return hook_server::reply{{}, true};
  }};
  hook_caller caller{to(never.endpoint())};
  constexpr unsigned questions = 40;
  unsigned told = 0;
  unsigned absent = 0;
  for (unsigned i = 0; i < questions; ++i)
    caller.ask(order([&](hook_outcome&& outcome) {
      ++told;
      absent += is_absent(outcome) ? 1 : 0;
    }));
  run_until([&] { return told == questions; });
  EXPECT_LE(absent, 2U) << "only those that were asked";
  EXPECT_EQ(count(caller, hook_result_kind::busy), questions - absent);
  EXPECT_EQ(caller.metrics().waiting.value(), 0U);
}

TEST_F(hook_caller_test, has_no_question_wait_for_those_of_another_kind) {
  settings.in_flight = 1;
  hook_server server{[&server](const hook_server::request& asked) {
    if (asked.body == "call")
      becomes([&] { return server.is_ending(); });
    return hook_server::reply{http_answer(yes)};
  }};
  hook_caller caller{to(server.endpoint())};
  for (std::size_t i = 0; i < max_waiting_hooks + 2; ++i)
    caller.ask(order([](hook_outcome&&) {}, "call", hook_kind::rpc));
  EXPECT_TRUE(becomes([&] { return count(caller, hook_result_kind::busy, hook_kind::rpc) == 1; }));
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(is_yes(ask(caller)));
}

TEST_F(hook_caller_test, refuses_what_would_be_too_much_to_wait) {
  settings.in_flight = 1;
  hook_server never{[&never](const auto&) {
    becomes([&] { return never.is_ending(); });
    return hook_server::reply{{}, true};
  }};
  hook_caller caller{to(never.endpoint())};
  std::size_t refused = 0;
  for (std::size_t i = 0; i < max_waiting_hooks + 3; ++i)
    caller.ask(order([&](hook_outcome&&) { ++refused; }));
  run_until([&] { return refused == 2; });
  EXPECT_EQ(count(caller, hook_result_kind::busy), 2U);
  EXPECT_EQ(caller.metrics().waiting.value(), max_waiting_hooks);
}

TEST_F(hook_caller_test, spares_the_program_questions_of_those_who_have_gone) {
  std::atomic<bool> may_answer{false};
  hook_server server{[&](const auto&) {
    becomes([&] { return may_answer.load(); });
    return hook_server::reply{http_answer(yes)};
  }};
  settings.in_flight = 1;
  hook_caller caller{to(server.endpoint())};
  const auto staying = std::make_shared<const char>();
  auto first = order([](hook_outcome&&) { FAIL() << "it has gone"; });
  auto second = order([](hook_outcome&&) { FAIL() << "it has gone"; });
  bool is_told = false;
  auto third = order([&](hook_outcome&&) { is_told = true; });
  third.asker = staying;
  caller.ask(std::move(first));
  EXPECT_TRUE(becomes([&] { return server.asked() == 1; }));
  caller.ask(std::move(second));
  caller.ask(std::move(third));
  here.reset();
  may_answer = true;
  run_until([&] { return is_told; });
  EXPECT_EQ(server.asked(), 2U);
  EXPECT_EQ(count(caller, hook_result_kind::gone), 1U);
}

TEST_F(hook_caller_test, stops_whatever_is_under_way) {
  hook_server never{[&never](const auto&) {
    becomes([&] { return never.is_ending(); });
    return hook_server::reply{{}, true};
  }};
  hook_caller caller{to(never.endpoint())};
  caller.ask(order([](hook_outcome&&) { FAIL() << "it has stopped"; }));
  EXPECT_TRUE(becomes([&] { return never.asked() == 1; }));
  const auto began = std::chrono::steady_clock::now();
  caller.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  home.poll();
}

TEST_F(hook_caller_test, has_only_the_hooks_that_it_is_told_of) {
  settings.endpoints[static_cast<std::size_t>(hook_kind::publish)] = nobody();
  const hook_caller caller{settings};
  EXPECT_TRUE(caller.has(hook_kind::publish));
  EXPECT_FALSE(caller.has(hook_kind::connect));
}

TEST_F(hook_caller_test, does_not_begin_with_authorities_that_it_cannot_read) {
  settings.ca_file = "/nonexistent/ca.pem";
  EXPECT_THROW(hook_caller{to(nobody())}, std::runtime_error);
}

} // namespace
} // namespace canang::net
