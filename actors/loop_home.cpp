#include "actors/loop_home.hpp"

#include "actors/heartbeat.hpp"
#include "actors/hub.hpp"

#include <utility>

namespace canang::actors {

loop_home::loop_home(caf::actor_system& system, std::uint32_t index, const loop_options& options,
                     const node_cast& cast, const bridge_cast& bridges, const node_status& status,
                     net::admission& admission, net::outbox_budget& budget, room_limit& rooms,
                     const cluster::room_settings_source& settings,
                     cluster::moderation_state& moderation, net::token_checks& tokens,
                     net::hook_source* hooks, net::tracer* tracer, const caf::actor& control)
  : system_(system),
    options_(options),
    status_(status),
    settings_(settings),
    admission_(admission),
    loop_(system, index, options.limits),
    members_(loop_.context(), &settings),
    keeper_(loop_.context(), budget),
    beats_(options.beats, loop::clock::now(), index + 1),
    broker_(
      options.keeping, [this] { return loop_.context().now(); }, settings, options.presence),
    room_events_(hooks, settings, options_.presence.node),
    room_services_{.broker = broker_,
                   .metrics = loop_.context().metrics,
                   .cast = cast,
                   .bridges = bridges,
                   .context = loop_.context(),
                   .kept = &broker_,
                   .limit = &rooms,
                   .events = &room_events_,
                   .node = options_.presence.node,
                   .paces = &paces_},
    acts_(moderation.source),
    moderation_(moderation),
    rules_(settings, moderation.source, hooks),
    rights_(rules_, options_.names),
    access_(rights_, tokens, options_.anonymous, loop_.context()),
    connection_services_{.loop = index,
                         .context = loop_.context(),
                         .members = members_,
                         .beats = beats_,
                         .cast = cast,
                         .bridges = &bridges,
                         .node = options_.presence.node,
                         .personal_room = options_.personal_room,
                         .replies = &replies_,
                         .pings = options_.beats.ping_interval,
                         .authorizer = &access_,
                         .settings = &settings,
                         .hooks = hooks,
                         .moderation = &moderation_,
                         .tracer = tracer},
    emulation_(loop_.context(), index, options_.presence.node, cast, bridges, control) {
  members_.trace_to(tracer, index, bridges.is_clustered());
  loop_.context().emulated.set_loop(index, options_.emulation_key);
  admission_.watch(loop_.context().metrics.connections);
  rooms.watch(loop_.context().metrics);
  budget.watch(loop_.context().metrics);
}

loop_cast loop_home::spawn_cast() {
  loop_cast own;
  own.backlog = loop_.context().metrics.backlog_bytes;
  own.hub = spawn_pinned<hub>(system_, loop_, members_, loop_.context());
  own.heartbeat = spawn_pinned<heartbeat>(system_, loop_, beats_);
  own.directory = spawn_pinned<directory>(system_, loop_, room_services_, options_.rooms,
                                          [this] { housekeeping(); });
  return own;
}

caf::actor loop_home::spawn_bridge(bridge_parts parts) {
  return bridges_.emplace_back(spawn_pinned<bridge>(system_, loop_, loop_.context().io,
                                                    std::move(parts), room_services_.cast,
                                                    [this] { return loop_.context().now(); }));
}

caf::actor loop_home::spawn_control(control_parts parts) {
  return spawn_pinned<control>(system_, loop_, std::move(parts),
                               [this] { return loop_.context().now(); });
}

void loop_home::start(const loop_cast& own) {
  loop_.on_turn_end([this] {
    members_.flush();
    keeper_.keep([this] { members_.let_go_kept(); });
  });
  loop_.on_tick([own, bridges = std::exchange(bridges_, {})](loop::clock::time_point now) {
    for (const auto& linked : bridges)
      caf::anon_send(linked, tick{now});
    caf::anon_send(own.heartbeat, tick{now});
    caf::anon_send(own.directory, tick{now});
    caf::anon_send(own.hub, tick{now});
  });
  loop_.start();
}

void loop_home::listen(int descriptor, bool is_ipv6, const public_port& port) {
  loop_.post([this, descriptor, is_ipv6, &port] {
    paths_.set_origins(port.handshakes.origins);
    port.add_endpoints(
      paths_, {loop_.context(), *this, port.handshakes, &emulation_, connection_services_.hooks});
    listener_.emplace(loop_.context(), paths_, descriptor, is_ipv6, &port.arrivals);
    listener_->start();
  });
}

void loop_home::stop_listening() {
  loop_.post([this] {
    if (listener_)
      listener_->stop();
  });
}

std::optional<net::reject_reason> loop_home::refusal(std::size_t rooms) noexcept {
  const auto phase = status_.load(std::memory_order_relaxed);
  const bool is_serving = phase == node_phase::ready || phase == node_phase::draining;
  if (!is_serving || !acts_.is_known()) // who is banned is not known yet
    return net::reject_reason::unavailable;
  return admission_.refusal(loop_.context().now(), rooms);
}

bool loop_home::compresses() noexcept {
  if (const auto generation = settings_.generation(); generation != settings_seen_) {
    settings_seen_ = generation;
    compresses_ = settings_.get()->compresses();
  }
  return compresses_;
}

void loop_home::on_session(net::session_ptr session, const net::wire_format& format,
                           net::connection_parameters&& parameters) {
  start_connection(system_, loop_, connection_services_, std::move(session), format, parameters);
}

void loop_home::housekeeping() {
  broker_.expire();
  auto& metrics = loop_.context().metrics;
  metrics.history_bytes.set(broker_.history_bytes());
  metrics.history_memory_bytes.set(broker_.history_cost());
  metrics.idle_history_memory_bytes.set(broker_.idle_history_cost());
  metrics.kept_rooms_memory_bytes.set(broker_.rooms_cost());
  const auto& forgotten = broker_.forgotten();
  const auto total = [&metrics](net::forget_reason why) -> net::counter& {
    return metrics.forgotten_rooms_total[static_cast<std::size_t>(why)];
  };
  total(net::forget_reason::budget).set(forgotten.for_budget);
  total(net::forget_reason::rooms).set(forgotten.for_rooms);
  total(net::forget_reason::memory).set(forgotten.for_memory);
}

} // namespace canang::actors
