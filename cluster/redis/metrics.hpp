#pragma once

#include "base/shared_text.hpp"

#include <atomic>
#include <cstdint>

namespace canang::cluster {

/// A number that one thread changes and any thread may read.
class shard_counter {
public:
  void add(std::uint64_t n) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void set(std::uint64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

private:
  std::atomic<std::uint64_t> value_{0};
};

/// What one shard counts of its links. Written on the shard's thread, read by a scrape from any.
struct redis_metrics {
  struct of_link {
    shard_counter reconnects; ///< connections made after the first
    shard_counter received_bytes;
    shard_counter sent_bytes;
  };
  of_link commands_link;
  of_link subscription_link;
  shard_counter commands; ///< commands sent on the command link
  /// Steady clock in ns when the probe last came back; 0: never.
  std::atomic<std::int64_t> last_probe_ns{0};
  /// 1: up in the sense of `redis_observer::on_up`.
  shard_counter up;
  /// Why it is not up, as `redis_shard::reason` tells it; empty when it is up, or has not been tried yet.
  shared_text why_down;
  /// 1: the last probe was stored and published as rooms do it.
  shard_counter publishing;
  /// Why it was not, a line that names the host; empty when it was, or when there was none since it is up.
  shared_text why_refused;
};

} // namespace canang::cluster
