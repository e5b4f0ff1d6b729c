#pragma once

#include "cluster/local_presence.hpp"
#include "cluster/rooms/redis_room.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace canang::cluster {

/// The keys of a partition's leases, in the slot of its rooms; `node` is the one that a lease is of.
struct roster_keys {
  roster_keys(std::string_view prefix, partition_id partition, std::string_view node);

  std::string leases;
  std::string info;
  std::string taken; ///< there when the node's members were taken away
  std::string lock;  ///< held by the one who begins to take them away
  std::string back;  ///< there while nodes find their way back after a pause
};

/// A node of the cluster, as its lease tells.
struct roster_entry {
  std::string node;
  std::string description; ///< JSON, by the node itself
};

/// This node's leases on one shard, a partition each, and the leases of all others
/// (cluster/rooms/scripts/lease.lua): who lives, and who is dead. Owned by a broker, on its thread.
class redis_roster {
public:
  using clock = std::chrono::steady_clock;
  using roster = std::vector<roster_entry>;

  /// What a renewal has found out about this node's members.
  enum class lease_state : std::uint8_t {
    held,      ///< it had its lease until now
    forgotten, ///< it had none: Redis has lost it, or this is the first
    taken,     ///< since the last renewal others took its members away
  };

  struct handlers {
    std::function<std::string()> describe;   ///< what this node tells of itself, JSON
    std::function<void(roster&&)> on_roster; ///< who lives, this node included
    /// After each renewal; `taken` is when others took this node's members away.
    std::function<void(partition_id, lease_state, const std::string& taken)> on_lease;
    /// It has no lease of that partition any more; `is_first`: of those of a shard, it is the one that tells of nodes.
    std::function<void(partition_id, const std::string& node, bool is_first)> on_dead;
    /// Whether there are nodes whose leases are not among these: of a release that had them elsewhere.
    std::function<void(bool)> on_old = [](bool) {};
  };

  redis_roster(redis_room_services& services, const presence_options& options, handlers calls);

  /// Renews the leases when it is time. To be called every 100 ms.
  void tick();

  /// Renews at once, unless that is under way: the links are whole again, or Redis knows no lease.
  void renew_now();
  void renew_now(partition_id partition);

  /// The node is going. Gives its leases up; or, where it `leaves_members` behind, lets them lapse, so that
  /// others take them away.
  void give_up(bool leaves_members);

private:
  struct lease {
    partition_id partition = 0;
    std::string taken; // when members were taken away last, as far as this node knows
    clock::time_point renewed_at{};
    bool is_renewing = false;
  };

  void renew(lease& own);
  void on_leases(lease& own, const redis_reply& reply);
  void look_for_old(std::int64_t now_ms);
  void take_over_old(std::int64_t now_ms);
  void take_over(const redis_reply& nodes);

  redis_room_services& services_;
  presence_options options_;
  handlers calls_;
  std::vector<lease> leases_; // the first one tells of the nodes
  clock::time_point looked_for_old_at_{};
  bool is_over_ = false;
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

} // namespace canang::cluster
