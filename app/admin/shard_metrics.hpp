#pragma once

#include "actors/node/shards.hpp"

#include <chrono>
#include <string>

namespace canang::admin {

/// The metrics of the shards in Prometheus' text format; `canang_nodes` also without any. From any thread.
[[nodiscard]] std::string shard_metrics(actors::shard_list shards, std::chrono::nanoseconds now);

} // namespace canang::admin
