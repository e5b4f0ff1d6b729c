#pragma once

#include "actors/node/shards.hpp"

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace canang::actors {

/// Connections of the nodes that serve, this one left out, as their leases tell; a node that drains is
/// not among them. From any thread.
[[nodiscard]] std::vector<std::uint64_t> connections_of_others(shard_list shards,
                                                               std::string_view own);

/// How a node that has more than its share of connections gets rid of some, so that nodes which came later
/// get theirs: no balancer moves a connection that is open. Starts when the node has had over 1.2 times
/// the mean for `after`, ends at 1.05 times the mean, and closes 1 % of its connections a second, or ten.
/// When it has closed twice as many as it had too many, and still has too many, then they come back to it
/// (a balancer that sticks to a node, say): it gives up for five minutes. Owned by the node.
class rebalance {
public:
  using clock = std::chrono::steady_clock;

  /// `after` 0: never closes anything.
  explicit rebalance(clock::duration after) : after_(after) {}

  /// To be called once a second.
  /// @returns how many connections to close now.
  [[nodiscard]] std::uint64_t due(clock::time_point now, std::uint64_t own,
                                  std::span<const std::uint64_t> others);

  /// Fewer than these too many are not worth a disconnect.
  static constexpr std::uint64_t least_excess = 50;

private:
  clock::duration after_;
  clock::time_point over_since_{}; // zero: it is not over
  clock::time_point pause_until_{};
  std::uint64_t budget_ = 0; // that may still be closed; 0: it is not shedding
};

} // namespace canang::actors
