#pragma once

#include "base/shared_value.hpp"
#include "cluster/redis/shard.hpp"
#include "cluster/redis/url.hpp"
#include "cluster/rooms/broker_metrics.hpp"
#include "cluster/rooms/redis_room.hpp"
#include "cluster/rooms/redis_roster.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace canang::actors {

/// How a node is linked with others; without shards it runs alone.
struct cluster_options {
  std::vector<cluster::redis_target> shards;
  cluster::redis_options links;
  cluster::room_rules rules;
  std::chrono::milliseconds rebalance_after{30'000}; ///< see `rebalance`; 0 is never
  std::string advertise; ///< by which the node is shown to others; empty: its internal address
  cluster::redis_broker_options rooms;
};

/// One shard as the node sees it from outside: who it is, and what its bridge counts.
struct shard_status {
  std::string identity;
  cluster::broker_metrics metrics;
  /// The nodes that live, as the bridge last heard; null before.
  shared_value<std::shared_ptr<const cluster::redis_roster::roster>> roster;
  /// The node has left: its members are out of the presence, and its lease has ended.
  std::atomic<bool> has_left{false};
};

} // namespace canang::actors
