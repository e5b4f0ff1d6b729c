#pragma once

#include "net/hooks/hook_kind.hpp"
#include "net/metrics.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace canang::net {

/// What came of a request to the operator's program.
enum class hook_result_kind : std::uint8_t {
  ok,          ///< yes
  error,       ///< no, with an error for the client
  disconnect,  ///< no, and the client is disconnected
  timeout,     ///< there was no answer in time
  unreachable, ///< there was no connection, or it broke
  status,      ///< the answer had another status than 200
  bad_answer,  ///< it was none of what may be answered
  too_large,   ///< it was longer than is read
  busy,        ///< too many waited for the limit of requests at the same time
  breaker,     ///< not asked: it had failed so often
  gone,        ///< not asked: the client had gone
};
inline constexpr std::size_t hook_result_count = 11;

/// The label of a result, as in `canang_hook_requests_total{result=...}`.
[[nodiscard]] std::string_view to_string(hook_result_kind result) noexcept;

/// Written on the thread of the hooks only, read from any, but for what loops count themselves.
struct hook_metrics {
  struct of_hook {
    std::array<counter, hook_result_count> requests_total;
    latency_histogram duration;    ///< of those that were sent, from the question on
    counter breaker;               ///< 0: closed, 1: half open, 2: open
    counter events_total;          ///< that the program has taken
    shared_counter events_dropped; ///< that it will not be told any more; by loops, too
    shared_counter events_waiting; ///< likewise
    shared_counter event_bytes;    ///< of these
  };

  std::array<of_hook, hook_count> hooks;
  counter in_flight;
  counter waiting;
  counter connections_total; ///< that were made

  [[nodiscard]] of_hook& of(hook_kind what) noexcept {
    return hooks[static_cast<std::size_t>(what)];
  }
};

} // namespace canang::net
