#pragma once

#include "cluster/housekeeping_faults.hpp"
#include "cluster/shared_text.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

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

/// What one shard counts. Written on the shard's thread, read by a scrape from any.
struct redis_metrics {
  struct of_link {
    shard_counter reconnects; ///< connections made after the first
    shard_counter received_bytes;
    shard_counter sent_bytes;
  };
  of_link commands_link;
  of_link subscription_link;
  shard_counter commands;       ///< commands sent on the command link
  shard_counter publishes;      ///< calls of the publish script
  shard_counter bad_foreign;    ///< messages on our channels that are not ours
  shard_counter bad_version;    ///< envelopes of an unknown version
  shard_counter bad_truncated;  ///< envelopes that end too early or say what can't be
  shard_counter failed_timeout; ///< publishes that Redis did not take in time
  shard_counter failed_buffer;  ///< publishes for which the buffer had no room
  shard_counter failed_refused; ///< publishes that Redis refused: OOM, READONLY, ...
  shard_counter failed_type;    ///< publishes to a room whose key is of another type
  shard_counter buffered_bytes; ///< publishes that wait for Redis
  shard_counter history_reads;
  shard_counter rooms_memory_bytes;   ///< rooms and their presence on this node
  shard_counter windows_memory_bytes; ///< their recent publications
  shard_counter shed_bytes;           ///< of these, let go because memory was over its limit
  /// What Redis refuses of the housekeeping, by script and reason.
  std::array<std::array<shard_counter, refusal_names.size()>, housekeeping_names.size()> refused;
  shard_counter gaps_filled;
  shard_counter gaps_lost;
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
