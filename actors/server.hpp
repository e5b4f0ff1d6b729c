#pragma once

#include "actors/cluster_options.hpp"
#include "actors/cluster_pages.hpp"
#include "actors/loop_home.hpp"
#include "actors/node/memory_pressure.hpp"
#include "actors/node/node.hpp"
#include "actors/room_limit.hpp"
#include "net/address_counts.hpp"
#include "net/admission.hpp"
#include "net/http/handshake.hpp"
#include "net/http/internal_access.hpp"
#include "net/http/types.hpp"
#include "net/listener.hpp"
#include "net/outbox_budget.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace canang::actors {

/// All that a server is told.
struct server_options {
  net::tcp_endpoint listen;
  net::tcp_endpoint internal_listen;
  std::uint32_t workers = 1;
  loop_options loops;
  drain_options drain;
  net::admission_limits admission;
  std::uint64_t outbox_budget_bytes = 0; ///< for all that waits for or from clients; 0: no limit
  net::handshake_rules handshakes;
  net::internal_access_options internal_access;
  std::function<std::uint64_t()> memory_used; ///< bytes, for `admission`; null: not looked at
  std::uint64_t max_rooms = 0;                ///< 0: no limit
  /// Memory that the histories of all rooms may take, divided by the loops or, in a cluster, the shards.
  /// 0: no limit.
  std::uint64_t history_budget_bytes = 256UL * 1024 * 1024;
  cluster_options cluster;
  /// What holds in rooms; null: what `loops.history` and `cluster.rules` say, in all of them.
  std::shared_ptr<cluster::room_settings_source> settings;
  std::string version;
};

/// A whole node in one object: the actor system, the loops, the node actor and the internal port.
/// Made, started and destroyed on one thread.
class server {
public:
  using page_function = std::function<net::page_response(const net::page_request&)>;

  /// `page` answers what is asked of the public port apart from WebSocket; from any loop.
  server(const server_options& options, page_function page);
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Stops at once if it still runs.
  ~server();

  /// Binds both ports.
  /// @returns an empty string, or a line that says which address could not be had and why.
  [[nodiscard]] std::string bind();

  /// Starts to serve. `on_end` is called once, from any thread, when the node has ended: with true
  /// after a drain, with false after a fault.
  void start(std::function<void(bool)> on_end);

  /// Begins the drain, unless it has begun; without the grace where no balancer is to be waited for. From
  /// any thread.
  void shut_down(bool with_grace = true);

  [[nodiscard]] net::tcp_endpoint public_endpoint() const { return public_.endpoint; }
  [[nodiscard]] net::tcp_endpoint internal_endpoint() const { return internal_.endpoint; }

  /// The standing actors; for tests.
  [[nodiscard]] const node_cast& cast() const noexcept { return cast_; }
  [[nodiscard]] const bridge_cast& bridges() const noexcept { return bridges_; }

private:
  struct system_config : caf::actor_system_config {
    system_config();
  };

  void divide_history_budget();
  void watch_memory();
  void look_at_memory();
  void relieve_memory(loop::clock::time_point now);
  void open_internal_port();
  [[nodiscard]] net::page_response internal_page(const net::page_request& request);
  [[nodiscard]] std::optional<net::page_response> internal_action(const net::page_request& request);
  [[nodiscard]] net::page_response health() const;
  [[nodiscard]] net::page_response readiness() const;
  [[nodiscard]] net::page_response metrics();
  [[nodiscard]] net::page_response nodes();
  [[nodiscard]] bool ask_room(const net::page_request& request, net::page_responder respond);
  [[nodiscard]] std::vector<const net::loop_metrics*> loops() const;
  [[nodiscard]] node_description description() const;
  [[nodiscard]] bridge_parts parts_of_bridge(std::size_t shard) const;

  /// Why the node cannot have traffic because of Redis; empty when it can.
  [[nodiscard]] std::string cluster_fault() const;

  /// Why nothing can be published to the rooms of some Redis; empty when it can.
  [[nodiscard]] std::string publishing_fault() const;

  server_options options_;
  page_function page_;
  system_config config_;
  caf::actor_system system_;
  node_status status_{node_phase::starting};
  net::admission admission_;
  net::address_counts addresses_;
  net::outbox_budget outbox_budget_;
  room_limit rooms_;
  memory_pressure pressure_;
  node_cast cast_;
  bridge_cast bridges_;
  cluster::node_identity identity_;
  std::vector<std::unique_ptr<shard_status>> shards_;
  net::listening_sockets public_;
  net::listening_sockets internal_;
  std::vector<std::unique_ptr<loop_home>> homes_;
  std::unique_ptr<loop> internal_loop_;
  net::routes internal_routes_;
  std::unique_ptr<net::listener> internal_listener_;
  std::optional<node_description> own_description_; // of the internal loop
  caf::actor node_;
  std::int64_t start_time_seconds_ = 0;
};

} // namespace canang::actors
