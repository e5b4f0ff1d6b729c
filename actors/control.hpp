#pragma once

#include "actors/cast.hpp"
#include "actors/cluster_options.hpp"
#include "actors/messages.hpp"
#include "actors/runtime/pinned.hpp"
#include "cluster/control/centre.hpp"
#include "cluster/control/relay.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace canang::actors {

/// What the control actor is made with. All of it outlives the actor.
struct control_parts {
  std::string node; ///< this run of this node, as in the roster
  const node_cast& cast;
  const bridge_cast& bridges;
  const std::vector<std::unique_ptr<shard_status>>& shards;
  cluster::control_metrics& metrics;
};

/// Has commands executed on all nodes, and executes those of other nodes here: asks the hubs and rooms that are
/// concerned, and adds up what they found. What may be lost, doubled or late between nodes is dealt with in
/// `cluster::control_centre`; bridges carry.
///
/// One a node, also of a node that runs alone; pinned to a loop. Vital to the node.
///
/// Brings what clients say to sessions of other nodes there, too, and what comes from other nodes to the sessions of
/// this one (`cluster::relay_centre`).
class control final : public pinned,
                      cluster::control_carrier,
                      cluster::control_executor,
                      cluster::relay_executor {
public:
  control(caf::actor_config& config, control_parts parts,
          std::function<std::chrono::steady_clock::time_point()> now);

  const char* name() const override { return "control"; }

private:
  /// A command that is being executed here: of how many parts of it nothing was heard yet.
  struct execution {
    std::size_t parts = 0;
    std::uint64_t connections = 0;
    done_handler done;
  };

  caf::behavior make_behavior() override;
  void on_exit() override;

  void on_order(const control_order& order);
  void on_part(const control_part& part);
  void on_mail(const control_mail& mail);
  void on_failed(const control_failed& report);
  void on_relay_order(const relay_order& order);
  void check();
  void check_soon();

  // cluster::control_carrier
  [[nodiscard]] std::vector<std::string> living() const override;
  [[nodiscard]] std::size_t ways() const override { return parts_.bridges.by_shard.size(); }
  [[nodiscard]] bool is_up(std::size_t way) const override;
  void carry(std::size_t way, std::string_view to, const std::string& message,
             std::uint64_t number) override;

  // cluster::control_executor
  void execute(const cluster::control_command& command, done_handler done) override;
  control_ticket begin(std::size_t parts, done_handler done);
  [[nodiscard]] connection_id here(std::string_view client) const;

  // cluster::relay_executor
  void execute(cluster::relayed_message&& message, std::uint64_t number) override;
  [[nodiscard]] cluster::session_chance chance_of(std::string_view node,
                                                  std::string_view session) const override;

  control_parts parts_;
  cluster::control_centre centre_;
  cluster::relay_centre relay_;
  std::map<std::uint64_t, execution> executions_;
  std::uint64_t last_execution_ = 0;
  bool is_check_due_ = false; // it is on its way
};

} // namespace canang::actors
