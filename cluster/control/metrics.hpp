#pragma once

#include "cluster/redis/metrics.hpp"

namespace canang::cluster {

/// What a node counts of control commands. Written on the thread of its control centre, read by a scrape from any.
struct control_metrics {
  shard_counter sent;     ///< commands of this node, each once
  shard_counter retries;  ///< times that a command went out again
  shard_counter received; ///< commands of other nodes, each once
  shard_counter repeated; ///< of which more copies came
  shard_counter done;     ///< by node that was told: it answered
  shard_counter unsupported;
  shard_counter timed_out;
  shard_counter gone;
  shard_counter late;          ///< answers to commands that wait no more
  shard_counter refused;       ///< commands of this node that were not begun: too many wait
  shard_counter bad_foreign;   ///< messages on control channels that are none
  shard_counter bad_version;   ///< of an unknown version
  shard_counter bad_malformed; ///< that say what cannot be
};

} // namespace canang::cluster
