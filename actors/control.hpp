#pragma once

#include "actors/cast.hpp"
#include "actors/cluster_options.hpp"
#include "actors/messages.hpp"
#include "actors/moderation_messages.hpp"
#include "actors/runtime/pinned.hpp"
#include "cluster/control/centre.hpp"
#include "cluster/control/relay.hpp"
#include "cluster/moderation/desk.hpp"
#include "cluster/moderation/state.hpp"

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
  cluster::moderation_state& moderation;
};

/// Has commands executed on all nodes, and executes those of other nodes here: asks the hubs and rooms that are
/// concerned, and adds up what they found. What may be lost, doubled or late between nodes is dealt with in
/// `cluster::control_centre`; bridges carry.
///
/// One a node, also of a node that runs alone; pinned to a loop. Vital to the node.
///
/// Brings what clients say to sessions of other nodes there, too, and what comes from other nodes to the sessions of
/// this one (`cluster::relay_centre`). Has orders of moderators carried out, and knows all acts that are in force
/// (`cluster::moderation_desk`).
class control final : public pinned,
                      cluster::control_carrier,
                      cluster::control_executor,
                      cluster::relay_executor,
                      cluster::moderation_staff {
public:
  control(caf::actor_config& config, control_parts parts,
          std::function<std::chrono::steady_clock::time_point()> now);

  const char* name() const override { return "control"; }

private:
  using clock = std::chrono::steady_clock;

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

  // moderation, in control_moderation.cpp
  void on_moderation_order(const moderation_order& order);
  void on_acts_told(const acts_told& report);
  void on_acts_due(const acts_due& due);

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

  // cluster::moderation_staff; `ways` and `is_up` are the carrier's, too
  void write(std::size_t way, std::uint64_t ticket, std::vector<cluster::act_write> what) override;
  void reread(std::size_t way, std::uint64_t ticket) override;
  void end_connections(std::uint64_t number, const std::vector<cluster::act_ptr>& acts) override;
  void tell_all(const cluster::control_command& command,
                const cluster::control_handler& handler) override;
  void wake_at(clock::time_point when) override;

  control_parts parts_;
  std::function<clock::time_point()> now_;
  cluster::control_centre centre_;
  cluster::relay_centre relay_;
  cluster::moderation_desk desk_;
  clock::time_point wakes_at_ = clock::time_point::max(); // for the desk
  std::map<std::uint64_t, execution> executions_;
  std::uint64_t last_execution_ = 0;
  bool is_check_due_ = false; // it is on its way
};

} // namespace canang::actors
