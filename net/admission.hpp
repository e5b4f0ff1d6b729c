#pragma once

#include "net/metrics.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace canang::net {

/// What a node takes at most; 0 means no limit.
struct admission_limits {
  std::uint64_t max_connections = 0;
  std::uint64_t max_memory_bytes = 0;
  std::uint64_t accepts_per_second = 0;
  std::uint64_t connections_per_address =
    0; ///< looked at when one is accepted: see `address_counts`
};

/// Whether a node takes one more connection. Asked before the upgrade, so that a refusal costs little
/// here, and the client's balancer or library goes elsewhere. One for all loops; asked on any of them,
/// without a lock. Two loops may each take the last free place at the same time.
class admission {
public:
  using clock = std::chrono::steady_clock;

  explicit admission(const admission_limits& limits) : limits_(limits) {}

  /// Counts these connections too. Before the first question; `connections` outlives the last one.
  void watch(const counter& connections) { connections_.push_back(&connections); }

  /// Why a connection that asks at `now` is not taken, if so. One that is taken counts for the rate, so many times.
  [[nodiscard]] std::optional<reject_reason> refusal(clock::time_point now,
                                                     std::size_t weight = 1) noexcept;

  /// What the node uses of its memory at present, in bytes; found out by somebody else.
  void set_memory_used(std::uint64_t bytes) noexcept { memory_used_bytes_ = bytes; }
  [[nodiscard]] std::uint64_t memory_used_bytes() const noexcept { return memory_used_bytes_; }

  [[nodiscard]] std::uint64_t open_connections() const noexcept;

  /// The part that is left of what runs out first, connections or memory: 1 is all, 0 none.
  [[nodiscard]] double headroom() const noexcept;

  [[nodiscard]] const admission_limits& limits() const noexcept { return limits_; }

private:
  [[nodiscard]] bool take_turn(clock::time_point now, std::size_t weight) noexcept;

  const admission_limits limits_;
  std::vector<const counter*> connections_;
  std::atomic<std::uint64_t> memory_used_bytes_{0};
  std::atomic<std::int64_t> next_turn_ns_{0}; // when the rate allows one more, if all came evenly
};

} // namespace canang::net
