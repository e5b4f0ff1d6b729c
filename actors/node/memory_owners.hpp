#pragma once

#include "actors/node/shards.hpp"
#include "net/metrics.hpp"
#include "net/metrics_text.hpp"

#include <span>
#include <vector>

namespace canang::actors {

/// What a node's memory is for, as far as it is counted: `connections`, `rooms` (with their presence),
/// `history`, `outbox`, and `redis` for publishes that wait. From any thread.
[[nodiscard]] std::vector<net::owned_memory>
memory_by_owner(std::span<const net::loop_metrics* const> loops, shard_list shards);

} // namespace canang::actors
