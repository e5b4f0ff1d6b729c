#pragma once

#include "base/name_hash.hpp"
#include "cluster/partitions.hpp"
#include "net/metrics.hpp"

#include <caf/actor.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace canang::actors {

/// The standing actors of one loop.
struct loop_cast {
  caf::actor hub;
  caf::actor heartbeat;
  caf::actor directory;
  std::shared_ptr<net::shared_counter> backlog; ///< what is on its way to the loop, in bytes
};

/// The standing actors of the node, by loop. Complete before the first connection is accepted and
/// unchanged after.
using node_cast = std::vector<loop_cast>;

/// The bridges of the node, by shard; none when it runs alone. Complete before the first room and
/// unchanged after.
struct bridge_cast {
  std::optional<cluster::partition_map> partitions;
  std::vector<caf::actor> by_shard;

  [[nodiscard]] bool is_clustered() const noexcept { return !by_shard.empty(); }
  [[nodiscard]] const caf::actor& of(std::string_view room) const {
    return by_shard[partitions->shard_of(room)];
  }
};

/// The loop on which a room lives: by a hash that clients can't foresee, so that none can heap its rooms
/// upon one loop. Of its upper half, since the lower bits choose the buckets of that loop's tables.
[[nodiscard]] inline std::uint32_t home_of(std::string_view room, std::size_t loops) noexcept {
  return static_cast<std::uint32_t>(((hash_of_name(room) >> 32U) * loops) >> 32U);
}

/// Who keeps a room, whoever is in it: its directory, or in a cluster the bridge of its shard.
[[nodiscard]] inline const caf::actor& keeper_of(std::string_view room, const node_cast& cast,
                                                 const bridge_cast& bridges) {
  return bridges.is_clustered() ? bridges.of(room) : cast[home_of(room, cast.size())].directory;
}

} // namespace canang::actors
