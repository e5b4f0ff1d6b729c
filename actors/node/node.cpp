#include "actors/node/node.hpp"

#include "actors/interfaces.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace canang::actors {

namespace {

constexpr std::chrono::milliseconds drain_check_interval{50};

/// `rebalance` counts in seconds.
constexpr std::chrono::seconds balance_interval{1};

/// How often the log tells how far a drain is.
constexpr std::chrono::seconds progress_interval{5};

/// How long the end waits for requests that were made before it: a client does not know what became of one that is
/// cut. Not longer, since others may come all the time.
constexpr std::chrono::seconds answers_timeout{2};

/// How long the end waits for Redis to take this node's leave.
constexpr std::chrono::milliseconds leave_timeout{500};

} // namespace

node::node(caf::actor_config& config, node_parts parts)
  : event_based_actor(config), parts_(std::move(parts)), balance_(parts_.rebalance_after) {}

caf::behavior node::make_behavior() {
  set_down_handler([this](const caf::down_msg& death) { on_down(death); });
  return interfaces::node::behavior_type{
    [this](const start_node&) { start(); },
    [this](const shut_down& order) {
      begin_drain(order.with_grace);
      if (order.when_begun)
        order.when_begun();
    },
    [this](const drain_grace_over&) { close_connections(); },
    [this](const balance_check&) { check_balance(); },
    [this](const drain_check&) {
      if (!is_stopping_)
        check_drain();
    },
  }
    .unbox();
}

void node::start() {
  for (auto& home : parts_.homes)
    parts_.cast.push_back(home->spawn_cast());
  start_bridges();
  start_control();
  for (const auto& own : parts_.cast) {
    for (const auto& standing : {own.hub, own.heartbeat, own.directory}) {
      monitor(standing);
      ++standing_;
    }
  }
  for (std::size_t i = 0; i < parts_.homes.size(); ++i)
    parts_.homes[i]->start(parts_.cast[i]);
  parts_.status = node_phase::ready;
  const bool is_ipv6 = parts_.sockets.endpoint.address().is_v6();
  for (std::size_t i = 0; i < parts_.homes.size(); ++i)
    parts_.homes[i]->listen(parts_.sockets.descriptors[i], is_ipv6, parts_.port);
  spdlog::info("ready");
  if (!parts_.shards.empty())
    delayed_send(this, balance_interval, balance_check{});
}

/// Each loop gives of its connections in proportion.
void node::check_balance() {
  if (parts_.status != node_phase::ready)
    return;
  delayed_send(this, balance_interval, balance_check{});
  const auto own = open_connections();
  const auto count = balance_.due(std::chrono::steady_clock::now(), own,
                                  connections_of_others(parts_.shards, parts_.id));
  if (count == 0)
    return;
  spdlog::debug("closing {} of {} connections for the balance", count, own);
  for (std::size_t i = 0; i < parts_.homes.size(); ++i) {
    const auto here = parts_.homes[i]->metrics().connections.value();
    send(parts_.cast[i].hub, shed{static_cast<std::size_t>((count * here + own - 1) / own)});
  }
}

/// Spread over the loops; all that a bridge does happens on its own.
void node::start_bridges() {
  std::vector<std::string> identities;
  for (const auto& shard : parts_.shards)
    identities.push_back(shard->identity);
  if (identities.empty())
    return;
  parts_.bridges.partitions.emplace(identities);
  for (std::size_t i = 0; i < identities.size(); ++i) {
    auto& home = *parts_.homes[i % parts_.homes.size()];
    const auto& linked =
      parts_.bridges.by_shard.emplace_back(home.spawn_bridge(parts_.parts_of_bridge(i)));
    monitor(linked);
    ++standing_;
  }
}

void node::start_control() {
  parts_.control =
    parts_.homes.front()->spawn_control({std::string{parts_.id}, parts_.cast, parts_.bridges,
                                         parts_.shards, parts_.control_metrics, parts_.moderation});
  monitor(parts_.control);
  ++standing_;
  const auto& bridges = parts_.bridges.by_shard;
  for (std::size_t way = 0; way < bridges.size(); ++way)
    send(bridges[way], bridge_control{parts_.control, way});
}

/// Only the first order counts: what asks again finds a drain that is on its way.
void node::begin_drain(bool with_grace) {
  if (parts_.status != node_phase::ready)
    return;
  end_http(true);
  parts_.internal.ends_http = true;
  parts_.status = node_phase::draining;
  const auto grace = with_grace ? parts_.drain.grace : std::chrono::milliseconds{0};
  spdlog::info("draining {} connections, after a grace of {} ms", open_connections(),
               grace.count());
  if (grace.count() == 0)
    close_connections();
  else
    delayed_send(this, grace, drain_grace_over{});
}

void node::close_connections() {
  parts_.status = node_phase::closing;
  end_http(false); // those whose connections are still here have no other way to say something
  for (auto& home : parts_.homes)
    home->stop_listening();
  const auto now = std::chrono::steady_clock::now();
  drain_deadline_ = now + parts_.drain.period;
  next_progress_ = now + progress_interval;
  for (const auto& own : parts_.cast)
    send(own.hub, drain{drain_deadline_});
  check_drain();
}

void node::log_progress() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_progress_)
    return;
  next_progress_ = now + progress_interval;
  spdlog::info("draining: {} connections left, {} s to go", open_connections(),
               std::chrono::duration_cast<std::chrono::seconds>(drain_deadline_ - now).count());
}

void node::check_drain() {
  const auto open = open_connections();
  if (leave_deadline_ != std::chrono::steady_clock::time_point{}) {
    leave_cluster();
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  if (answers_deadline_ != std::chrono::steady_clock::time_point{}) {
    end_answers(now);
    return;
  }
  if ((open == 0 && !has_unsent()) || now >= drain_deadline_) {
    if (open > 0)
      spdlog::warn("{} connections were cut at the end of the drain period", open);
    answers_deadline_ = now + answers_timeout;
    end_http(true);
  } else {
    log_progress();
  }
  delayed_send(this, drain_check_interval, drain_check{});
}

/// One interval later at the earliest: what has come by now is not looked at yet.
void node::end_answers(std::chrono::steady_clock::time_point now) {
  const auto due = answers_due();
  if (due > 0 && now < answers_deadline_) {
    delayed_send(this, drain_check_interval, drain_check{});
    return;
  }
  if (due > 0)
    spdlog::warn("{} requests were cut that had no answer {} s after the drain", due,
                 answers_timeout.count());
  leave_cluster();
}

/// Balancers, and clients of the API, keep connections for their next request: it would be cut with the node.
void node::end_http(bool whether) {
  for (auto& home : parts_.homes)
    home->end_http(whether);
}

std::uint64_t node::answers_due() const {
  return parts_.internal.metrics.http_answers_due.value()
         + total(&net::loop_metrics::http_answers_due);
}

/// The last thing that others hear of this node; if Redis is away, its lease runs out by itself.
void node::leave_cluster() {
  const auto now = std::chrono::steady_clock::now();
  if (leave_deadline_ == std::chrono::steady_clock::time_point{}) {
    leave_deadline_ = now + leave_timeout;
    for (const auto& linked : parts_.bridges.by_shard)
      send(linked, bridge_leave{});
  }
  if (has_left() || now >= leave_deadline_)
    stop_cast();
  else
    delayed_send(this, drain_check_interval, drain_check{});
}

bool node::has_left() const {
  return std::all_of(parts_.shards.begin(), parts_.shards.end(),
                     [](const auto& shard) { return shard->has_left.load(); });
}

/// In reverse order of the start: rooms first, then who serves them.
void node::stop_cast() {
  is_stopping_ = true;
  send_exit(parts_.control, caf::exit_reason::user_shutdown);
  for (const auto& own : parts_.cast) {
    send_exit(own.directory, caf::exit_reason::user_shutdown);
    send_exit(own.heartbeat, caf::exit_reason::user_shutdown);
    send_exit(own.hub, caf::exit_reason::user_shutdown);
  }
  for (const auto& linked : parts_.bridges.by_shard)
    send_exit(linked, caf::exit_reason::user_shutdown);
}

void node::on_down(const caf::down_msg& death) {
  --standing_;
  if (!is_stopping_) {
    spdlog::critical("a standing actor died: {}", system().render(death.reason));
    is_stopping_ = true;
    parts_.status = node_phase::stopped;
    quit(caf::sec::runtime_error);
    return;
  }
  if (standing_ > 0)
    return;
  parts_.status = node_phase::stopped;
  spdlog::info("stopped");
  quit();
}

/// Whether publishes of members that may be gone already wait for Redis, or for their room's rate.
bool node::has_unsent() const {
  return std::any_of(parts_.shards.begin(), parts_.shards.end(),
                     [](const auto& shard) { return shard->metrics.buffered_bytes.value() > 0; })
         || std::any_of(parts_.homes.begin(), parts_.homes.end(), [](const auto& home) {
              return home->metrics().room_waiting_bytes.value() > 0;
            });
}

/// Over the loops that serve clients.
std::uint64_t node::total(net::counter net::loop_metrics::*figure) const {
  std::uint64_t sum = 0;
  for (const auto& home : parts_.homes)
    sum += (home->metrics().*figure).value();
  return sum;
}

std::uint64_t node::open_connections() const { return total(&net::loop_metrics::connections); }

} // namespace canang::actors
