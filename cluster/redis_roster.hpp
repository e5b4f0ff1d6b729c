#pragma once

#include "cluster/redis_presence.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace canang::cluster {

/// A node of the cluster, as its lease tells.
struct roster_entry {
  std::string node;
  std::string description; ///< JSON, by the node itself
};

/// This node's lease on one shard, and the leases of all others: who lives, and who is dead and has left
/// members behind, which the first that comes takes away. Owned by a broker, on its thread.
class redis_roster {
public:
  using clock = std::chrono::steady_clock;
  using roster = std::vector<roster_entry>;

  struct handlers {
    std::function<std::string()> describe;   ///< what this node tells of itself, JSON
    std::function<void(roster&&)> on_roster; ///< who lives, this node included
    /// Others may have taken our members away, and have if it is said so.
    std::function<void(bool were_taken)> on_lease_lost;
    /// A dead node's members were taken out of a room: { NODE/CONNECTION, user, ... }.
    std::function<void(std::string_view room, const redis_reply& gone)> on_gone;
  };

  redis_roster(redis_room_services& services, const presence_options& options, handlers calls);

  /// Renews the lease when it is time, and looks for the dead. To be called every 100 ms.
  void tick();

  /// The links are whole again: renews at once.
  void renew_now();

  /// Gives the lease up: the node is going.
  void give_up();

private:
  /// A dead node whose members are being taken away.
  struct reaping {
    std::string node;
    std::size_t steps = 0; ///< commands without an answer
    bool has_failed = false;
  };
  using reaping_ptr = std::shared_ptr<reaping>;

  void on_leases(const redis_reply& reply);
  void begin_to_reap(const std::string& node);
  void reap_partition(const reaping_ptr& what, partition_id partition);
  void reap_room(const reaping_ptr& what, const std::string& room);
  [[nodiscard]] redis_shard::reply_handler
  step_of(const reaping_ptr& what, std::function<void(const redis_reply&)> function);
  void finish(const reaping& what);
  void forget(std::string_view node);
  [[nodiscard]] std::string reap_key(std::string_view node) const;

  /// Wraps a handler so that it is not called once this roster is gone.
  template <class Function>
  auto guarded_anyway(Function function) {
    return [alive = std::weak_ptr<bool>{is_alive_},
            function = std::move(function)](redis_errc error, const redis_reply& reply) {
      if (!alive.expired())
        function(error, reply);
    };
  }

  /// The same, and only with a reply that is no error.
  template <class Function>
  auto guarded(Function function) {
    return guarded_anyway(
      [function = std::move(function)](redis_errc error, const redis_reply& reply) {
        if (error == redis_errc::none && !reply.is_error())
          function(reply);
      });
  }

  redis_room_services& services_;
  presence_options options_;
  handlers calls_;
  std::string leases_key_;
  std::string info_key_;
  clock::time_point renewed_at_{};
  bool is_first_ = true;
  bool is_over_ = false;
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

} // namespace canang::cluster
