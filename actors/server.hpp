#pragma once

#include "actors/cluster_options.hpp"
#include "actors/loop_home.hpp"
#include "actors/node/announcement.hpp"
#include "actors/node/memory_pressure.hpp"
#include "actors/node/node.hpp"
#include "actors/node/node_description.hpp"
#include "actors/node/reload_status.hpp"
#include "actors/node/shards.hpp"
#include "actors/room_limit.hpp"
#include "cluster/moderation/state.hpp"
#include "cluster/room_settings.hpp"
#include "net/address_counts.hpp"
#include "net/admission.hpp"
#include "net/auth/api_keys.hpp"
#include "net/auth/token_checks.hpp"
#include "net/hooks/hook_settings.hpp"
#include "net/http/internal_access.hpp"
#include "net/http/router.hpp"
#include "net/listener.hpp"
#include "net/outbox_budget.hpp"
#include "net/proxy_rules.hpp"
#include "net/session_acceptor.hpp"
#include "net/tls/tls_source.hpp"
#include "net/tracing/trace_settings.hpp"

#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::net {
class hook_caller;
class otlp_tracer;
class tracer;
struct hook_metrics;
struct trace_metrics;
} // namespace canang::net

namespace canang::actors {

/// What tokens of clients are checked by.
struct token_services {
  const net::published_token_keys* keys = nullptr; ///< outlives the server; null: no token is good
  net::token_rules rules{};
  /// See `net::token_checks`.
  std::function<bool(std::string_view)> on_unknown_key{};
};

/// All that a server is told.
struct server_options {
  net::tcp_endpoint listen;
  net::unix_address listen_unix; ///< instead, where it has a path
  net::tcp_endpoint internal_listen;
  std::uint32_t workers = 1;
  loop_options loops;
  drain_options drain;
  net::admission_limits admission;
  std::uint64_t outbox_budget_bytes = 0; ///< for all that waits for or from clients; 0: no limit
  net::handshake_rules handshakes;
  net::internal_access_options internal_access;
  net::proxy_rules proxies;                   ///< in front of the public port
  net::tls_files tls;                         ///< of the public port
  net::tls_files internal_tls;                ///< of the internal one
  std::function<std::uint64_t()> memory_used; ///< bytes, for `admission`; null: not looked at
  std::uint64_t max_rooms = 0;                ///< 0: no limit
  /// Memory that the histories of all rooms may take, divided by the loops or, in a cluster, the shards.
  /// 0: no limit.
  std::uint64_t history_budget_bytes = 256UL * 1024 * 1024;
  token_services tokens;
  net::hook_settings hooks;
  net::trace_settings tracing;
  cluster_options cluster;
  cluster::room_settings_table room_settings; ///< at the start
  std::vector<std::string> api_keys;          ///< of the server API, at the start
  bool logs_api = false;                      ///< each request of it becomes a line of the log
  std::string version;
};

class server;

/// What the ports of a server answer.
struct server_endpoints {
  /// Adds the endpoints of the public port to the router of each loop; called on that loop.
  std::function<void(net::router&, const net::session_door&)> add_public;
  /// Adds those of the internal port, with its guard; called before it listens. Handlers run on the internal loop.
  std::function<void(net::router&, server&)> add_internal;
};

/// A whole node in one object: the actor system, the loops, the node actor and the internal port.
/// Made, started and destroyed on one thread.
class server {
public:
  server(const server_options& options, server_endpoints endpoints);
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Stops at once if it still runs.
  ~server();

  /// Reads the certificates, and binds both ports.
  /// @returns an empty string, or a line that says which file or address could not be had and why.
  [[nodiscard]] std::string bind();

  /// Starts to serve. `on_end` is called once, from any thread, when the node has ended: with true
  /// after a drain, with false after a fault.
  void start(std::function<void(bool)> on_end);

  /// Begins the drain, unless it has begun; without the grace where no balancer is to be waited for. From
  /// any thread. `when_begun` is called once, on another thread, when `phase` tells of the drain; it is
  /// destroyed without a call where the node ends first.
  void shut_down(bool with_grace = true, std::function<void()> when_begun = {});

  [[nodiscard]] net::tcp_endpoint public_endpoint() const { return public_.endpoint; }
  [[nodiscard]] net::tcp_endpoint internal_endpoint() const { return internal_.endpoint; }

  // What the internal port's endpoints show and ask. From any thread unless they say otherwise.

  [[nodiscard]] const server_options& options() const noexcept { return options_; }
  [[nodiscard]] node_phase phase() const noexcept { return status_; }
  [[nodiscard]] std::string_view id() const noexcept { return identity_.id; }
  [[nodiscard]] std::int64_t start_time_seconds() const noexcept { return start_time_seconds_; }
  [[nodiscard]] shard_list shards() const noexcept { return shards_; }
  [[nodiscard]] const net::admission& admission() const noexcept { return admission_; }
  [[nodiscard]] const net::outbox_budget& outbox_budget() const noexcept { return outbox_budget_; }
  [[nodiscard]] const net::loop_metrics& internal_metrics() const noexcept {
    return internal_loop_->context().metrics;
  }
  [[nodiscard]] std::vector<const net::loop_metrics*> loops() const;
  [[nodiscard]] std::size_t running_actors() { return system_.registry().running(); }

  /// Null where nobody outside is asked about clients.
  [[nodiscard]] const net::hook_metrics* hook_metrics() const noexcept;

  /// Null where nothing is traced.
  [[nodiscard]] net::tracer* tracer() const noexcept;
  [[nodiscard]] const net::trace_metrics* trace_metrics() const noexcept;

  [[nodiscard]] const cluster::control_metrics& control_metrics() const noexcept {
    return control_metrics_;
  }

  /// Whether it can have traffic, and why not; else what is wrong all the same. How much it uses of its limits.
  [[nodiscard]] node_condition condition() const;

  /// The node as the others see it, in JSON. On the internal loop.
  [[nodiscard]] std::string describe() { return (*own_description_)(); }

  /// Who keeps a room, whoever is in it: its directory, or in a cluster the bridge of its shard. Null while the
  /// node is starting.
  [[nodiscard]] caf::actor keeper_of(std::string_view room) const;

  /// All who keep rooms. None while the node is starting.
  [[nodiscard]] std::vector<caf::actor> keepers() const;

  /// Asks about a room; `answer` is called on another thread. Not while the node is starting.
  void ask_room(std::string room, bool with_members,
                std::function<void(cluster::room_report&&)> answer) const;

  /// Has a command executed on all nodes; its answer comes on another thread.
  /// @returns false while the node is starting: then there is no answer.
  [[nodiscard]] bool order(control_order&& command) const;

  /// Has an order of a moderator carried out; or asks which acts are in force. Answers come on another thread.
  /// @returns false while the node is starting: then there is no answer.
  [[nodiscard]] bool moderate(moderation_order&& order) const;
  [[nodiscard]] bool ask_acts(acts_query&& query) const;

  [[nodiscard]] const cluster::moderation_state& moderation() const noexcept { return moderation_; }

  /// Has something done on the internal loop every 100 ms. On that loop, or before it has started.
  void on_internal_tick(std::function<void(std::chrono::steady_clock::time_point)> task) {
    internal_ticks_.push_back(std::move(task));
  }

  /// Does something on the internal loop, in a later turn; what is left when the server ends is destroyed undone.
  void on_internal_loop(std::function<void()> task) { internal_loop_->post(std::move(task)); }

  /// What may be changed while it serves, and how that went; from any thread.
  [[nodiscard]] cluster::room_settings_source& room_settings() noexcept { return room_settings_; }
  [[nodiscard]] net::api_keys& api_keys() noexcept { return api_keys_; }
  [[nodiscard]] reload_status& reloads() noexcept { return reloads_; }

  /// Of the ports that speak TLS. On the thread that made the server.
  [[nodiscard]] std::vector<net::tls_source*> certificates();

  /// The standing actors; for tests.
  [[nodiscard]] const node_cast& cast() const noexcept { return cast_; }
  [[nodiscard]] const bridge_cast& bridges() const noexcept { return bridges_; }

private:
  struct system_config : caf::actor_system_config {
    system_config();
  };

  void divide_history_budget();
  [[nodiscard]] std::string bind_public();
  void watch_memory();
  void look_at_memory();
  void relieve_memory(loop::clock::time_point now);
  void open_internal_port();
  [[nodiscard]] node_description description() const;
  [[nodiscard]] announcement own_announcement() const;
  [[nodiscard]] bridge_parts parts_of_bridge(std::size_t shard);

  server_options options_;
  system_config config_;
  caf::actor_system system_;
  node_status status_{node_phase::starting};
  cluster::room_settings_source room_settings_;
  net::api_keys api_keys_;
  net::published_token_keys no_keys_;
  net::token_checks tokens_;
  std::unique_ptr<net::otlp_tracer> tracer_; // null: nothing is traced
  std::unique_ptr<net::hook_caller> hooks_;  // null: there are none
  reload_status reloads_;
  net::admission admission_;
  net::address_counts addresses_;
  net::outbox_budget outbox_budget_;
  net::tls_source tls_;
  net::tls_source internal_tls_;
  net::arrival_rules internal_arrivals_;
  room_limit rooms_;
  memory_pressure pressure_;
  server_endpoints endpoints_;
  public_port port_;
  node_cast cast_;
  bridge_cast bridges_;
  caf::actor control_;
  cluster::control_metrics control_metrics_;
  cluster::moderation_state moderation_;
  cluster::node_identity identity_;
  std::vector<std::unique_ptr<shard_status>> shards_;
  net::listening_sockets public_;
  net::listening_sockets internal_;
  std::vector<std::unique_ptr<loop_home>> homes_;
  std::unique_ptr<loop> internal_loop_;
  net::router internal_paths_;
  std::unique_ptr<net::listener> internal_listener_;
  std::optional<node_description> own_description_; // of the internal loop
  std::vector<std::function<void(loop::clock::time_point)>> internal_ticks_;
  caf::actor node_;
  std::int64_t start_time_seconds_ = 0;
};

} // namespace canang::actors
