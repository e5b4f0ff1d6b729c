#pragma once

#include "bench/load/dialect.hpp"
#include "bench/load/options.hpp"
#include "bench/load/plan.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

namespace canang::load {

/// Nanoseconds of the steady clock since the start of the run.
class run_clock {
public:
  std::uint64_t now_ns() const noexcept {
    return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(clock::now() - origin_).count());
  }

private:
  using clock = std::chrono::steady_clock;
  clock::time_point origin_ = clock::now();
};

enum class phase : std::uint8_t { connecting, waiting, publishing, draining, closing };

/// What the coordinator and the workers share. The coordinator moves the phase forward; the times
/// are set before the phase that needs them.
struct run_state {
  const options& opts;
  const plan& layout;
  const dialect& language;
  run_clock clock{};
  std::atomic<phase> now_in{phase::connecting};
  std::atomic<std::uint64_t> publish_from_ns{0};
  /// Latency is recorded for messages that were due at or after this time.
  std::atomic<std::uint64_t> record_from_ns{0};
  /// Messages sent, by room x publishers + publisher; each is written by one worker only and read
  /// by others after the workers have ended.
  std::vector<std::uint32_t> sent{};
};

/// What a worker tells while it runs: written by it once a turn, read by the coordinator.
struct alignas(64) worker_counters {
  std::atomic<std::uint64_t> connected{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint64_t> last_connected_ns{0};
  std::atomic<std::uint64_t> closed{0}; ///< connections that the server closed, stalled ones not
  std::atomic<std::uint64_t> publishes{0};
  std::atomic<std::uint64_t> deliveries{0};
  std::atomic<std::uint64_t> expected{0}; ///< deliveries that the publishes should lead to
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> unmeasured{0}; ///< deliveries among the others, to --publish-url
  std::atomic<std::uint64_t> odd{0};        ///< doubled, reordered, misrouted, corrupt
};

} // namespace canang::load
