#pragma once

#include "actors/cast.hpp"
#include "actors/cluster_options.hpp"
#include "actors/loop_home.hpp"
#include "actors/messages.hpp"
#include "actors/node/node_status.hpp"
#include "actors/node/rebalance.hpp"
#include "net/listener.hpp"

#include <caf/event_based_actor.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace canang::actors {

/// How the node ends.
struct drain_options {
  /// Time between becoming unready and the first close, for balancers to notice.
  std::chrono::milliseconds grace{5'000};
  /// Time for closing all connections.
  std::chrono::milliseconds period{25'000};
};

/// What the node supervises. Owned by the server; outlives the node.
struct node_parts {
  std::vector<std::unique_ptr<loop_home>>& homes;
  node_cast& cast;
  bridge_cast& bridges;
  caf::actor& control; ///< set before the phase is `ready`
  cluster::control_metrics& control_metrics;
  cluster::moderation_state& moderation;
  std::function<bridge_parts(std::size_t)> parts_of_bridge; ///< by shard
  const std::vector<std::unique_ptr<shard_status>>& shards;
  node_status& status;
  net::listening_sockets sockets;
  const public_port& port;
  net::loop_context& internal; ///< of the internal port
  drain_options drain;
  std::string_view id;                       ///< in the roster
  std::chrono::milliseconds rebalance_after; ///< see `rebalance`
};

/// The root supervisor: starts the standing actors, the loops and the listeners in this order,
/// monitors the actors, and stops everything in reverse order after a drain. When a standing actor
/// dies it ends with an error, and the process with it. Lives on CAF's scheduler.
class node final : public caf::event_based_actor {
public:
  node(caf::actor_config& config, node_parts parts);

  const char* name() const override { return "node"; }

private:
  caf::behavior make_behavior() override;

  void start();
  void start_bridges();
  void start_control();
  void begin_drain(bool with_grace);
  void close_connections();
  void log_progress();
  void check_balance();
  void check_drain();
  void stop_cast();
  void on_down(const caf::down_msg& death);
  [[nodiscard]] std::uint64_t total(net::counter net::loop_metrics::*figure) const;
  [[nodiscard]] std::uint64_t open_connections() const;
  [[nodiscard]] std::uint64_t answers_due() const;
  void end_http(bool whether);
  void end_answers(std::chrono::steady_clock::time_point now);
  [[nodiscard]] bool has_unsent() const;
  void leave_cluster();
  [[nodiscard]] bool has_left() const;

  node_parts parts_;
  rebalance balance_;
  std::chrono::steady_clock::time_point drain_deadline_{};
  std::chrono::steady_clock::time_point next_progress_{};
  std::chrono::steady_clock::time_point answers_deadline_{}; // once the drain is over
  std::size_t standing_ = 0;                                 // actors of the cast that are alive
  std::chrono::steady_clock::time_point leave_deadline_{};   // once it is leaving the cluster
  bool is_stopping_ = false;
};

} // namespace canang::actors
