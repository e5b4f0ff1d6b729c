#pragma once

#include "actors/bridge.hpp"
#include "actors/cast.hpp"
#include "actors/connection.hpp"
#include "actors/control.hpp"
#include "actors/directory.hpp"
#include "actors/emulation.hpp"
#include "actors/fanout.hpp"
#include "actors/liveness.hpp"
#include "actors/moderation_rules.hpp"
#include "actors/node/node_status.hpp"
#include "actors/room_access.hpp"
#include "actors/room_events.hpp"
#include "actors/runtime/loop.hpp"
#include "actors/slow_mode.hpp"
#include "cluster/memory/memory_broker.hpp"
#include "net/admission.hpp"
#include "net/arrival_rules.hpp"
#include "net/auth/token_authorizer.hpp"
#include "net/http/router.hpp"
#include "net/listener.hpp"
#include "net/outbox_budget.hpp"
#include "net/session_acceptor.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace canang::net {
class hook_source;
class tracer;
} // namespace canang::net

namespace canang::actors {

/// Options that concern the loops; all have their defaults where they are used.
struct loop_options {
  net::session_limits limits;
  liveness_options beats;
  directory_options rooms;
  cluster::room_settings history; ///< of rooms that no namespace says anything else of
  cluster::memory_broker_options keeping;
  cluster::presence_options presence;
  net::emulation_key emulation_key{}; ///< of the node
  /// What stands before a user's name in the name of the room that all of its clients are made members of, if their
  /// protocol has a word for that. Empty: there are no such rooms.
  std::string personal_room;
  net::room_name_rules names; ///< what names of rooms say of who may be in them
  net::anonymous_clients anonymous = net::anonymous_clients::without_keys;
};

/// What listens on the public port of each loop.
struct public_port {
  /// Adds the endpoints to a loop's router; called on that loop.
  std::function<void(net::router&, const net::session_door&)> add_endpoints;
  net::handshake_rules handshakes;
  net::arrival_rules arrivals{};
};

/// A loop with all that lives on it. Made and destroyed by the server; between `start` and `stop`
/// everything in here but the metrics belongs to the loop's thread.
class loop_home final : net::session_acceptor {
public:
  loop_home(caf::actor_system& system, std::uint32_t index, const loop_options& options,
            const node_cast& cast, const bridge_cast& bridges, const node_status& status,
            net::admission& admission, net::outbox_budget& budget, room_limit& rooms,
            const cluster::room_settings_source& settings, cluster::moderation_state& moderation,
            net::token_checks& tokens, net::hook_source* hooks, net::tracer* tracer,
            const caf::actor& control);

  /// Spawns the standing actors of the loop.
  [[nodiscard]] loop_cast spawn_cast();

  /// Spawns the bridge of a shard on this loop. Before `start`.
  [[nodiscard]] caf::actor spawn_bridge(bridge_parts parts);

  /// Spawns the node's control actor on this loop. Before `start`.
  [[nodiscard]] caf::actor spawn_control(control_parts parts);

  /// Starts the thread. The node's cast must be complete.
  void start(const loop_cast& own);

  /// Begins to accept on a descriptor of `net::listen_on`. From any thread. `port` outlives the loop.
  void listen(int descriptor, bool is_ipv6, const public_port& port);

  /// Accepts no more. From any thread.
  void stop_listening();

  void stop() { loop_.stop(); }

  /// Whether the answers to requests end their connections. From any thread.
  void end_http(bool whether) noexcept { loop_.context().ends_http = whether; }

  [[nodiscard]] const net::loop_metrics& metrics() const noexcept {
    return loop_.context().metrics;
  }

private:
  // net::session_acceptor
  [[nodiscard]] std::optional<net::reject_reason> refusal(std::size_t rooms) noexcept override;
  [[nodiscard]] bool compresses() noexcept override;
  void on_session(net::session_ptr session, const net::wire_format& format,
                  net::connection_parameters&& parameters) override;

  void housekeeping();

  caf::actor_system& system_;
  loop_options options_;
  const node_status& status_;
  const cluster::room_settings_source& settings_;
  std::uint64_t settings_seen_ = 0;
  bool compresses_ = false; // by the settings seen
  net::admission& admission_;
  loop loop_;
  fanout members_;
  net::budget_keeper keeper_;
  liveness beats_;
  cluster::memory_broker broker_;
  std::vector<caf::actor> bridges_; // those on this loop
  room_events room_events_;
  slow_mode paces_;
  room_services room_services_;
  const cluster::moderation_source& acts_;
  moderation_rules moderation_;
  room_access rules_;
  net::settings_authorizer rights_;
  net::token_authorizer access_;
  reply_batch replies_;
  connection_services connection_services_;
  emulation emulation_;
  net::router paths_;
  std::optional<net::listener> listener_;
};

} // namespace canang::actors
