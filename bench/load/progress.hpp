#pragma once

#include "bench/load/run_state.hpp"
#include "bench/load/worker.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace canang::load {

/// The counters of all workers together, at one moment.
struct totals {
  std::uint64_t time_ns = 0;
  std::uint64_t connected = 0, failed = 0, last_connected_ns = 0, closed = 0, publishes = 0,
                deliveries = 0, expected = 0, bytes = 0, odd = 0, unmeasured = 0;
};

totals add_up(const run_clock& clock, const std::vector<std::unique_ptr<worker>>& workers);

/// Prints a line a second on stderr while work goes on. Coordinator's thread.
class progress {
public:
  progress(const options& o, std::uint64_t wanted) : quiet_(o.quiet), wanted_(wanted) {}

  /// Prints when a second has gone by since the last line. `label` names the phase.
  void tell(std::string_view label, const totals& now);
  /// Prints whatever the time; even this not when quiet.
  void say(std::string_view line);

private:
  bool quiet_;
  std::uint64_t wanted_;
  totals last_;
};

} // namespace canang::load
