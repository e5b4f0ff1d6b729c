#pragma once

#include "net/metrics.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace canang::actors {

/// How many rooms a node may know: those with an actor, and those that are kept for who may come back.
/// One for all loops, asked by their directories without a lock: two loops may each take the last place
/// at the same time.
class room_limit {
public:
  using clock = std::chrono::steady_clock;

  /// 0: no limit.
  explicit room_limit(std::uint64_t most) : most_(most) {}

  /// Counts this loop's rooms too. Before the first question, in the order of the loops; `of_loop`
  /// outlives the last one.
  void watch(const net::loop_metrics& of_loop) { loops_.push_back(&of_loop); }

  /// How many rooms have to go before there is a place for one more.
  [[nodiscard]] std::uint64_t excess() const noexcept;

  /// Whether there would be a place if all rooms without members were forgotten.
  [[nodiscard]] bool can_give_way() const noexcept;

  /// The loop that has most of these.
  [[nodiscard]] std::size_t idlest_loop() const noexcept;

  /// A room was refused.
  /// @returns nothing when the log has had a line of it in the last minute, else how many were since.
  [[nodiscard]] std::optional<std::uint64_t> note_refusal(clock::time_point now) noexcept;

  [[nodiscard]] std::uint64_t most() const noexcept { return most_; }

private:
  [[nodiscard]] std::uint64_t sum(net::counter net::loop_metrics::*member) const noexcept;

  const std::uint64_t most_;
  std::vector<const net::loop_metrics*> loops_;
  std::atomic<std::int64_t> next_line_ns_{0};
  std::atomic<std::uint64_t> unsaid_{0};
};

} // namespace canang::actors
