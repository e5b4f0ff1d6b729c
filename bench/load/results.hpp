#pragma once

#include "bench/load/checker.hpp"
#include "bench/load/histogram.hpp"
#include "bench/load/options.hpp"
#include "bench/load/run_state.hpp"
#include "bench/load/worker.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace canang::load {

/// Everything that a run found out, from all threads.
struct results {
  std::uint32_t wanted_connections = 0;
  std::uint32_t stalled_connections = 0;
  std::uint64_t connected = 0;
  double connect_s = 0; ///< first connect() to last handshake
  histogram connect_latency;
  std::map<std::string, std::uint64_t> connect_errors;

  double measured_s = 0;
  std::uint64_t publishes = 0;  ///< in the measured time
  std::uint64_t deliveries = 0; ///< in the measured time
  std::uint64_t bytes = 0;      ///< in the measured time, received
  double cpu_s = 0;             ///< of this process in the measured time
  histogram latency;

  std::uint64_t sent = 0;     ///< messages of the whole run
  std::uint64_t expected = 0; ///< deliveries that they should have led to
  std::uint64_t received = 0; ///< of these, each once
  std::uint64_t lost = 0;
  std::uint64_t missed_after_close = 0; ///< of the members whose connection was closed
  std::uint64_t members_in_other_order = 0;
  oddities odd;
  std::uint64_t retyped = 0;
  std::uint64_t given_up = 0;
  std::map<std::string, std::uint64_t> closes;
  std::map<std::string, std::uint64_t> stalled_closes;

  std::uint64_t closed() const noexcept;
  /// One of exit_ok, exit_faulty, exit_unreachable.
  int exit_code() const noexcept;
};

/// Adds what the workers found and judges every member against what was sent. After they have
/// ended.
void judge(const run_state& state, const std::vector<std::unique_ptr<worker>>& workers, results& r);

} // namespace canang::load
