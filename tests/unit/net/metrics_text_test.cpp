#include "net/metrics_text.hpp"

#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <sstream>

namespace canang::net {
namespace {

/// Prometheus' text format 0.0.4 as far as it is used: each line matches, each series comes once and
/// behind its family's TYPE line.
struct parsed_text {
  std::map<std::string, std::string> types;
  std::map<std::string, double> values; // by name and labels as written

  explicit parsed_text(const std::string& text) {
    static const std::regex help{R"(# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+))"};
    static const std::regex type{R"(# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram))"};
    static const std::regex sample{
      R"(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-z_]+="[^"\\\n]*"(,[a-z_]+="[^"\\\n]*")*,?\})? ([-+0-9.eE]+|[+-]Inf|NaN))"};
    EXPECT_TRUE(text.empty() || text.back() == '\n');
    std::istringstream lines{text};
    std::smatch match;
    for (std::string line; std::getline(lines, line);) {
      if (std::regex_match(line, match, help))
        continue;
      if (std::regex_match(line, match, type)) {
        EXPECT_TRUE(types.emplace(match[1], match[2]).second) << "twice: " << line;
      } else if (std::regex_match(line, match, sample)) {
        const std::string name = match[1];
        const auto family = std::regex_replace(name, std::regex{"_(bucket|sum|count)$"}, "");
        EXPECT_TRUE(types.count(name) + types.count(family) > 0) << "no TYPE: " << line;
        EXPECT_TRUE(values.emplace(name + std::string{match[2]}, std::stod(match[4])).second)
          << line;
      } else {
        ADD_FAILURE() << "no line of this format: " << line;
      }
    }
  }

  double operator[](const std::string& series) const {
    const auto found = values.find(series);
    EXPECT_TRUE(found != values.end()) << series;
    return found != values.end() ? found->second : -1;
  }
};

struct metrics_text_test : testing::Test {
  loop_metrics first;
  loop_metrics second;
  process_figures process;

  parsed_text text() {
    const loop_metrics* const loops[] = {&first, &second};
    return parsed_text{metrics_text(loops, process)};
  }
};

TEST_F(metrics_text_test, has_every_family_with_its_type) {
  const auto parsed = text();
  const auto has = [&](const char* type, std::initializer_list<const char*> names) {
    for (const std::string name : names) {
      const auto found = parsed.types.find(name);
      ASSERT_TRUE(found != parsed.types.end()) << name;
      EXPECT_EQ(found->second, type) << name;
    }
  };
  has("gauge", {"canang_build_info",
                "canang_ready",
                "canang_loops",
                "canang_connections",
                "canang_rooms",
                "canang_rooms_known",
                "canang_rooms_limit",
                "canang_history_budget_bytes",
                "canang_memory_bytes",
                "canang_members",
                "canang_actors",
                "canang_outbox_bytes",
                "canang_history_bytes",
                "canang_http_connections",
                "canang_outbox_memory_bytes",
                "canang_inbox_bytes",
                "canang_outbox_budget_bytes",
                "canang_room_waiting_bytes",
                "canang_loop_backlog_bytes",
                "canang_loop_last_turn_seconds",
                "process_open_fds",
                "process_resident_memory_bytes",
                "process_start_time_seconds"});
  has("counter",
      {"canang_accepted_total", "canang_accept_errors_total", "canang_publications_total",
       "canang_deliveries_total", "canang_deliveries_dropped_total",
       "canang_slow_consumer_dropped_total", "canang_compression_plain_bytes_total",
       "canang_compression_packed_bytes_total", "canang_received_bytes_total",
       "canang_sent_bytes_total", "canang_handshakes_rejected_total", "canang_closes_total",
       "canang_emulation_requests_total", "canang_pings_sent_total", "canang_turns_total",
       "canang_actor_failures_total", "canang_rooms_forgotten_total", "canang_http_displaced_total",
       "process_cpu_seconds_total"});
  has("histogram", {"canang_publish_to_flush_seconds", "canang_turn_seconds"});
}

TEST_F(metrics_text_test, sums_the_loops) {
  const std::pair<const char*, counter loop_metrics::*> members[] = {
    {"canang_connections", &loop_metrics::connections},
    {"canang_rooms", &loop_metrics::rooms},
    {"canang_rooms_known", &loop_metrics::known_rooms},
    {"canang_members", &loop_metrics::members},
    {"canang_accepted_total", &loop_metrics::accepted_total},
    {"canang_accept_errors_total", &loop_metrics::accept_errors_total},
    {"canang_publications_total", &loop_metrics::publications_total},
    {"canang_deliveries_total", &loop_metrics::deliveries_total},
    {"canang_deliveries_dropped_total", &loop_metrics::messages_dropped_total},
    {"canang_received_bytes_total", &loop_metrics::received_bytes_total},
    {"canang_sent_bytes_total", &loop_metrics::sent_bytes_total},
    {"canang_outbox_bytes", &loop_metrics::outbox_bytes},
    {"canang_outbox_memory_bytes", &loop_metrics::outbox_memory_bytes},
    {"canang_inbox_bytes", &loop_metrics::inbox_bytes},
    {"canang_history_bytes", &loop_metrics::history_bytes},
    {"canang_room_waiting_bytes", &loop_metrics::room_waiting_bytes},
    {"canang_pings_sent_total", &loop_metrics::pings_sent_total},
    {"canang_turns_total", &loop_metrics::turns_total}};
  std::uint64_t value = 1;
  for (const auto& [name, member] : members) {
    (first.*member).add(value);
    (second.*member).add(1000 * value++);
  }
  const auto parsed = text();
  value = 1;
  for (const auto& [name, member] : members)
    EXPECT_EQ(parsed[name], static_cast<double>(1001 * value++)) << name;
  EXPECT_EQ(parsed["canang_loops"], 2);
}

TEST_F(metrics_text_test, tells_the_ports_apart_where_connections_are_not_websockets) {
  loop_metrics internal;
  process.internal = &internal;
  first.http_connections.add(3);
  second.http_connections.add(4);
  internal.http_connections.add(5);
  internal.http_displaced_total.add(6);
  const auto parsed = text();
  EXPECT_EQ(parsed[R"(canang_http_connections{port="public"})"], 7);
  EXPECT_EQ(parsed[R"(canang_http_connections{port="internal"})"], 5);
  EXPECT_EQ(parsed[R"(canang_http_displaced_total{port="public"})"], 0);
  EXPECT_EQ(parsed[R"(canang_http_displaced_total{port="internal"})"], 6);
}

TEST_F(metrics_text_test, tells_by_which_rule_slow_members_lost_something) {
  first.slow_lost_total[static_cast<std::size_t>(slow_loss::latest)].add(3);
  second.slow_lost_total[static_cast<std::size_t>(slow_loss::latest)].add(4);
  second.slow_lost_total[static_cast<std::size_t>(slow_loss::drop_oldest)].add(5);
  const auto parsed = text();
  EXPECT_EQ(parsed[R"(canang_slow_consumer_dropped_total{policy="latest"})"], 7);
  EXPECT_EQ(parsed[R"(canang_slow_consumer_dropped_total{policy="drop_oldest"})"], 5);
}

TEST_F(metrics_text_test, tells_what_compression_saves_in_either_direction) {
  first.deflated_from_bytes_total.add(10);
  second.deflated_from_bytes_total.add(20);
  second.deflated_to_bytes_total.add(4);
  first.inflated_from_bytes_total.add(5);
  second.inflated_to_bytes_total.add(60);
  const auto parsed = text();
  EXPECT_EQ(parsed[R"(canang_compression_plain_bytes_total{direction="sent"})"], 30);
  EXPECT_EQ(parsed[R"(canang_compression_packed_bytes_total{direction="sent"})"], 4);
  EXPECT_EQ(parsed[R"(canang_compression_plain_bytes_total{direction="received"})"], 60);
  EXPECT_EQ(parsed[R"(canang_compression_packed_bytes_total{direction="received"})"], 5);
}

TEST_F(metrics_text_test, tells_whose_the_memory_is) {
  process.memory = {{"rooms", 5}, {"history", 7}};
  const auto parsed = text();
  EXPECT_EQ(parsed[R"(canang_memory_bytes{owner="rooms"})"], 5);
  EXPECT_EQ(parsed[R"(canang_memory_bytes{owner="history"})"], 7);
}

TEST_F(metrics_text_test, counts_emulation_requests_by_outcome) {
  first.emulations_total[static_cast<std::size_t>(emulation_outcome::busy)].add(1);
  second.emulations_total[static_cast<std::size_t>(emulation_outcome::busy)].add(2);
  const auto parsed = text();
  EXPECT_EQ(parsed[R"(canang_emulation_requests_total{outcome="taken"})"], 0);
  EXPECT_EQ(parsed[R"(canang_emulation_requests_total{outcome="busy"})"], 3);
}

TEST_F(metrics_text_test, counts_forgotten_rooms_by_reason) {
  first.forgotten_rooms_total[static_cast<std::size_t>(forget_reason::memory)].add(1);
  second.forgotten_rooms_total[static_cast<std::size_t>(forget_reason::memory)].add(2);
  const auto parsed = text();
  EXPECT_EQ(parsed[R"(canang_rooms_forgotten_total{reason="budget"})"], 0);
  EXPECT_EQ(parsed[R"(canang_rooms_forgotten_total{reason="memory"})"], 3);
}

TEST_F(metrics_text_test, tells_of_each_loop_what_is_on_its_way_and_when_it_turned_last) {
  first.backlog_bytes->add(5000);
  first.backlog_bytes->subtract(1000);
  const auto ago = std::chrono::steady_clock::now() - std::chrono::seconds{7};
  second.last_turn_ns = std::chrono::nanoseconds{ago.time_since_epoch()}.count();
  const auto parsed = text();
  EXPECT_EQ(parsed[R"(canang_loop_backlog_bytes{loop="0"})"], 4000);
  EXPECT_EQ(parsed[R"(canang_loop_backlog_bytes{loop="1"})"], 0);
  EXPECT_EQ(parsed[R"(canang_loop_last_turn_seconds{loop="0"})"], 0) << "it has not begun";
  EXPECT_NEAR(parsed[R"(canang_loop_last_turn_seconds{loop="1"})"], 7, 1);
}

TEST_F(metrics_text_test, writes_large_counts_in_full) {
  first.sent_bytes_total.add(123'456'789'012'345);
  EXPECT_EQ(text()["canang_sent_bytes_total"], 123'456'789'012'345.0);
}

TEST_F(metrics_text_test, counts_closes_by_code_and_reason) {
  first.closes.count(1000, close_reason::normal);
  second.closes.count(1000, close_reason::normal);
  second.closes.count(4321, close_reason::client_close);
  const auto parsed = text();
  EXPECT_EQ(parsed[R"(canang_closes_total{code="1000",reason="normal"})"], 2);
  EXPECT_EQ(parsed[R"(canang_closes_total{code="4xxx",reason="client_close"})"], 1);
}

TEST_F(metrics_text_test, counts_rejections_of_every_reason_from_the_start) {
  first.rejected_total[static_cast<std::size_t>(reject_reason::bad_room)].add(1);
  second.rejected_total[static_cast<std::size_t>(reject_reason::bad_room)].add(2);
  const auto parsed = text();
  for (std::size_t r = 0; r < reject_reason_count; ++r) {
    const std::string name{to_string(static_cast<reject_reason>(r))};
    EXPECT_EQ(parsed["canang_handshakes_rejected_total{reason=\"" + name + "\"}"],
              name == "bad_room" ? 3 : 0);
  }
}

TEST_F(metrics_text_test, has_histograms_in_seconds_that_add_up) {
  first.publish_to_flush.observe_ns(10'000);
  second.publish_to_flush.observe_ns(10'001);
  first.publish_to_flush.observe_ns(20'000'000'000);
  const auto parsed = text();
  const std::string name = "canang_publish_to_flush_seconds";
  std::map<double, double> buckets;
  const std::regex bucket{name + R"x(_bucket\{le="([^"]+)"\})x"};
  std::smatch match;
  for (const auto& [series, value] : parsed.values)
    if (std::regex_match(series, match, bucket))
      buckets.emplace(std::stod(match[1]), value); // stod reads +Inf
  ASSERT_EQ(buckets.size(), latency_histogram::bucket_count);
  double before = 0;
  for (const auto& [bound, count] : buckets) {
    EXPECT_GE(count, before) << "cumulative";
    before = count;
  }
  EXPECT_NEAR(buckets.begin()->first, 1e-5, 1e-9);
  EXPECT_EQ(buckets.begin()->second, 1);
  EXPECT_EQ(std::next(buckets.begin())->second, 2);
  EXPECT_EQ(std::prev(buckets.end(), 2)->second, 2);
  EXPECT_EQ(parsed[name + "_bucket{le=\"+Inf\"}"], 3);
  EXPECT_EQ(parsed[name + "_count"], 3);
  EXPECT_NEAR(parsed[name + "_sum"], 20.000020001, 1e-4);
}

TEST_F(metrics_text_test, tells_the_figures_of_the_process) {
  process.version = "1.2.3";
  process.ready = true;
  process.actors = 42;
  process.actor_failures = 7;
  process.start_time_seconds = 1'700'000'000;
  read_process_figures(process);
  const auto parsed = text();
  EXPECT_EQ(parsed[R"(canang_build_info{version="1.2.3"})"], 1);
  EXPECT_EQ(parsed["canang_ready"], 1);
  EXPECT_EQ(parsed["canang_actors"], 42);
  EXPECT_EQ(parsed["canang_actor_failures_total"], 7);
  EXPECT_EQ(parsed["process_start_time_seconds"], 1'700'000'000);
  EXPECT_GE(parsed["process_open_fds"], 3);
  EXPECT_GT(parsed["process_resident_memory_bytes"], 1'000'000);
  EXPECT_GT(parsed["process_cpu_seconds_total"], 0);
}

TEST(metrics_text, is_written_without_any_loop_too) {
  EXPECT_EQ(parsed_text{metrics_text({}, {})}["canang_connections"], 0);
}

} // namespace
} // namespace canang::net
