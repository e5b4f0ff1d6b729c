#pragma once

#include "actors/cluster_options.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace canang::actors {

/// What the node knows of its shards, as its bridges tell. All of these from any thread.

using shard_list = std::span<const std::unique_ptr<shard_status>>;

/// Without a probe that came back for so long, what is published elsewhere may not arrive here.
inline constexpr std::chrono::seconds unproven_after{10};

/// The nodes that have a lease on any shard, each once. What a shard said before it went away counts only
/// where there is nothing newer. Empty: no shard has answered yet.
[[nodiscard]] cluster::redis_roster::roster living_nodes(shard_list shards);

/// What the living node of that name tells of itself, if there is one. Copies nothing of the others.
[[nodiscard]] std::optional<std::string> description_of(shard_list shards, std::string_view node);

/// Why the node cannot have traffic because of Redis; empty when it can.
[[nodiscard]] std::string cluster_fault(shard_list shards);

/// Why nothing can be published to the rooms of some Redis; empty when it can. Nodes that are all unready at
/// once help nobody, so this does not make one unready.
[[nodiscard]] std::string publishing_fault(shard_list shards);

} // namespace canang::actors
