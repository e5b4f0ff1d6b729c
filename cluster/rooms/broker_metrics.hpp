#pragma once

#include "cluster/redis/metrics.hpp"
#include "cluster/rooms/housekeeping_faults.hpp"

#include <array>

namespace canang::cluster {

/// What the broker on one shard counts, and its links. Written on the shard's thread, read by a scrape from
/// any.
struct broker_metrics : redis_metrics {
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
};

} // namespace canang::cluster
