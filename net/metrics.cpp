#include "net/metrics.hpp"

#include <algorithm>

namespace canang::net {

void latency_histogram::observe_ns(std::uint64_t ns) noexcept {
  const auto* const bound =
    std::lower_bound(latency_bounds_ns.begin(), latency_bounds_ns.end(), ns);
  buckets_[static_cast<std::size_t>(bound - latency_bounds_ns.begin())].add(1);
  sum_ns_.add(ns);
}

std::string_view to_string(close_reason reason) noexcept {
  static constexpr std::array<std::string_view, close_reason_count> names{
    "normal",       "going_away",    "client_close",   "abnormal",     "protocol_error",
    "bad_payload",  "too_big",       "write_error",    "ping_timeout", "slow_consumer",
    "drain",        "messages_lost", "publish_failed", "join_failed",  "rebalance",
    "rate_limited", "over_budget",   "unidentified",   "not_allowed",  "disconnected",
    "bad_token",    "expired",       "handler_error"};
  return names[static_cast<std::size_t>(reason)];
}

std::string_view to_string(reject_reason reason) noexcept {
  static constexpr std::array<std::string_view, reject_reason_count> names{
    "bad_request", "bad_method",  "not_an_upgrade", "bad_room", "headers_too_large",
    "timeout",     "unavailable", "connections",    "memory",   "rate",
    "origin",      "address",     "crowded",        "rooms",    "forbidden",
    "no_token",    "bad_token",   "expired"};
  return names[static_cast<std::size_t>(reason)];
}

std::string_view to_string(tls_outcome outcome) noexcept {
  static constexpr std::array<std::string_view, tls_outcome_count> names{
    "full", "resumed", "failed", "unverified", "not_tls", "timeout", "crowded", "left"};
  return names[static_cast<std::size_t>(outcome)];
}

std::string_view to_string(emulation_outcome outcome) noexcept {
  static constexpr std::array<std::string_view, emulation_outcome_count> names{
    "taken", "unknown", "busy", "unavailable"};
  return names[static_cast<std::size_t>(outcome)];
}

std::string_view to_string(forget_reason reason) noexcept {
  static constexpr std::array<std::string_view, forget_reason_count> names{"budget", "rooms",
                                                                           "memory"};
  return names[static_cast<std::size_t>(reason)];
}

std::string_view to_string(slow_loss policy) noexcept {
  return policy == slow_loss::latest ? "latest" : "drop_oldest";
}

std::size_t close_counters::slot_of(std::uint16_t code) noexcept {
  if (code >= 1000 && code <= 1015)
    return code - 1000U;
  if (code >= 3000 && code <= 3999)
    return 16;
  if (code >= 4000 && code <= 4999)
    return 17;
  return 6; // 1006: what is outside every range was no proper close
}

void close_counters::count(std::uint16_t code, close_reason reason) noexcept {
  counts_[slot_of(code)][static_cast<std::size_t>(reason)].add(1);
}

std::string_view close_counters::label(std::size_t slot) noexcept {
  static constexpr std::array<std::string_view, code_slots> labels{
    "1000", "1001", "1002", "1003", "1004", "1005", "1006", "1007", "1008",
    "1009", "1010", "1011", "1012", "1013", "1014", "1015", "3xxx", "4xxx"};
  return labels[slot];
}

} // namespace canang::net
