#include "app/hook_metrics_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace canang::app {
namespace {

using net::hook_kind;

struct hook_metrics_text_test : testing::Test {
  net::hook_settings settings;
  net::hook_metrics metrics;

  void name(hook_kind what) { settings.endpoints[static_cast<std::size_t>(what)].emplace(); }

  [[nodiscard]] bool has(const std::string& line) const {
    return hook_metrics_text(settings, &metrics).find(line + '\n') != std::string::npos;
  }
};

TEST_F(hook_metrics_text_test, has_families_without_samples_where_there_are_no_hooks) {
  const auto text = hook_metrics_text(settings, nullptr);
  EXPECT_NE(text.find("# TYPE canang_hook_requests_total counter\n"), std::string::npos);
  EXPECT_NE(text.find("# TYPE canang_hook_in_flight gauge\n"), std::string::npos);
  EXPECT_EQ(text.find("\ncanang_hook_"), std::string::npos) << text;
}

TEST_F(hook_metrics_text_test, counts_what_came_of_requests_of_each_hook_that_there_is) {
  name(hook_kind::connect);
  metrics.of(hook_kind::connect)
    .requests_total[static_cast<std::size_t>(net::hook_result_kind::timeout)]
    .add(3);
  metrics.of(hook_kind::connect).breaker.set(2);
  metrics.of(hook_kind::connect).duration.observe_ns(20'000'000);
  metrics.in_flight.set(4);
  EXPECT_TRUE(has(R"(canang_hook_requests_total{hook="connect",result="timeout"} 3)"));
  EXPECT_TRUE(has(R"(canang_hook_requests_total{hook="connect",result="ok"} 0)"));
  EXPECT_TRUE(has(R"(canang_hook_breaker_state{hook="connect"} 2)"));
  EXPECT_TRUE(has(R"(canang_hook_duration_seconds_bucket{hook="connect",le="0.01"} 0)"));
  EXPECT_TRUE(has(R"(canang_hook_duration_seconds_bucket{hook="connect",le="0.025"} 1)"));
  EXPECT_TRUE(has(R"(canang_hook_duration_seconds_count{hook="connect"} 1)"));
  EXPECT_TRUE(has("canang_hook_in_flight 4"));
  EXPECT_EQ(hook_metrics_text(settings, &metrics).find("publish"), std::string::npos);
}

TEST_F(hook_metrics_text_test, counts_events_that_were_told_and_lost) {
  name(hook_kind::rooms);
  metrics.of(hook_kind::rooms).events_total.add(5);
  metrics.of(hook_kind::rooms).events_dropped.add(1);
  metrics.of(hook_kind::rooms).events_waiting.add(2);
  EXPECT_TRUE(has(R"(canang_hook_events_total{hook="rooms",result="told"} 5)"));
  EXPECT_TRUE(has(R"(canang_hook_events_total{hook="rooms",result="lost"} 1)"));
  EXPECT_TRUE(has(R"(canang_hook_events_waiting{hook="rooms"} 2)"));
}

} // namespace
} // namespace canang::app
