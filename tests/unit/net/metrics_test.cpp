#include "net/metrics.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace canang::net {
namespace {

TEST(counter, adds_and_subtracts) {
  counter c;
  EXPECT_EQ(c.value(), 0U);
  c.add(5);
  c.subtract(2);
  EXPECT_EQ(c.value(), 3U);
}

TEST(latency_histogram, has_rising_bounds) {
  for (std::size_t i = 1; i < latency_bounds_ns.size(); ++i)
    EXPECT_LT(latency_bounds_ns[i - 1], latency_bounds_ns[i]);
}

TEST(latency_histogram, counts_a_value_in_the_bucket_of_the_first_bound_that_holds_it) {
  for (std::size_t i = 0; i < latency_bounds_ns.size(); ++i) {
    latency_histogram histogram;
    histogram.observe_ns(latency_bounds_ns[i]);
    histogram.observe_ns(latency_bounds_ns[i] + 1);
    EXPECT_EQ(histogram.bucket(i), 1U) << "a bound belongs to its own bucket";
    EXPECT_EQ(histogram.bucket(i + 1), 1U);
    EXPECT_EQ(histogram.sum_ns(), 2 * latency_bounds_ns[i] + 1);
  }
}

TEST(latency_histogram, counts_the_smallest_and_the_largest_value) {
  latency_histogram histogram;
  histogram.observe_ns(0);
  histogram.observe_ns(3'600'000'000'000);
  EXPECT_EQ(histogram.bucket(0), 1U);
  EXPECT_EQ(histogram.bucket(latency_histogram::bucket_count - 1), 1U);
}

TEST(close_reason, has_a_name_of_its_own_for_each_value) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < close_reason_count; ++i) {
    const auto name = to_string(static_cast<close_reason>(i));
    EXPECT_FALSE(name.empty()) << i;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(static_cast<std::size_t>(close_reason::handler_error) + 1, close_reason_count);
}

TEST(close_reason, is_named_like_its_value) {
  EXPECT_EQ(to_string(close_reason::normal), "normal");
  EXPECT_EQ(to_string(close_reason::going_away), "going_away");
  EXPECT_EQ(to_string(close_reason::client_close), "client_close");
  EXPECT_EQ(to_string(close_reason::abnormal), "abnormal");
  EXPECT_EQ(to_string(close_reason::protocol_error), "protocol_error");
  EXPECT_EQ(to_string(close_reason::bad_payload), "bad_payload");
  EXPECT_EQ(to_string(close_reason::too_big), "too_big");
  EXPECT_EQ(to_string(close_reason::write_error), "write_error");
  EXPECT_EQ(to_string(close_reason::ping_timeout), "ping_timeout");
  EXPECT_EQ(to_string(close_reason::slow_consumer), "slow_consumer");
  EXPECT_EQ(to_string(close_reason::drain), "drain");
  EXPECT_EQ(to_string(close_reason::join_failed), "join_failed");
  EXPECT_EQ(to_string(close_reason::rebalance), "rebalance");
  EXPECT_EQ(to_string(close_reason::rate_limited), "rate_limited");
  EXPECT_EQ(to_string(close_reason::over_budget), "over_budget");
  EXPECT_EQ(to_string(close_reason::unidentified), "unidentified");
  EXPECT_EQ(to_string(close_reason::not_allowed), "not_allowed");
  EXPECT_EQ(to_string(close_reason::disconnected), "disconnected");
  EXPECT_EQ(to_string(close_reason::handler_error), "handler_error");
}

TEST(reject_reason, is_named_like_its_value) {
  EXPECT_EQ(to_string(reject_reason::bad_request), "bad_request");
  EXPECT_EQ(to_string(reject_reason::bad_method), "bad_method");
  EXPECT_EQ(to_string(reject_reason::not_an_upgrade), "not_an_upgrade");
  EXPECT_EQ(to_string(reject_reason::bad_room), "bad_room");
  EXPECT_EQ(to_string(reject_reason::headers_too_large), "headers_too_large");
  EXPECT_EQ(to_string(reject_reason::timeout), "timeout");
  EXPECT_EQ(to_string(reject_reason::unavailable), "unavailable");
  EXPECT_EQ(to_string(reject_reason::origin), "origin");
  EXPECT_EQ(to_string(reject_reason::address), "address");
  EXPECT_EQ(to_string(reject_reason::crowded), "crowded");
  EXPECT_EQ(to_string(reject_reason::rooms), "rooms");
  EXPECT_EQ(to_string(reject_reason::forbidden), "forbidden");
  EXPECT_EQ(to_string(reject_reason::expired), "expired");
  EXPECT_EQ(static_cast<std::size_t>(reject_reason::expired) + 1, reject_reason_count);
}

TEST(forget_reason, is_named_like_its_value) {
  EXPECT_EQ(to_string(forget_reason::budget), "budget");
  EXPECT_EQ(to_string(forget_reason::rooms), "rooms");
  EXPECT_EQ(to_string(forget_reason::memory), "memory");
  EXPECT_EQ(static_cast<std::size_t>(forget_reason::memory) + 1, forget_reason_count);
}

/// The label under which a close with `code` is counted.
std::string label_of(int code) {
  close_counters closes;
  closes.count(static_cast<std::uint16_t>(code), close_reason::client_close);
  std::string found;
  for (std::size_t slot = 0; slot < close_counters::code_slots; ++slot) {
    for (std::size_t r = 0; r < close_reason_count; ++r) {
      if (closes.value(slot, static_cast<close_reason>(r)) == 0)
        continue;
      EXPECT_EQ(static_cast<close_reason>(r), close_reason::client_close);
      EXPECT_TRUE(found.empty()) << "counted twice";
      found = close_counters::label(slot);
    }
  }
  return found;
}

TEST(close_counters, have_a_slot_for_each_registered_code) {
  for (int code = 1000; code <= 1015; ++code)
    EXPECT_EQ(label_of(code), std::to_string(code));
}

TEST(close_counters, share_a_slot_a_range_for_what_clients_make_up) {
  for (const int code : {3000, 3500, 3999})
    EXPECT_EQ(label_of(code), "3xxx") << code;
  for (const int code : {4000, 4999})
    EXPECT_EQ(label_of(code), "4xxx") << code;
}

TEST(close_counters, count_what_is_no_code_as_1006) {
  for (const int code : {0, 999, 1016, 2999, 5000, 65535})
    EXPECT_EQ(label_of(code), "1006") << code;
}

TEST(close_counters, count_each_close_once) {
  close_counters closes;
  for (int i = 0; i < 3; ++i)
    closes.count(1000, close_reason::normal);
  closes.count(1000, close_reason::drain);
  EXPECT_EQ(closes.value(0, close_reason::normal), 3U);
  EXPECT_EQ(closes.value(0, close_reason::drain), 1U);
}

} // namespace
} // namespace canang::net
