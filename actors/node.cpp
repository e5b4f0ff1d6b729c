#include "actors/node.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>
#include <spdlog/spdlog.h>

#include <utility>

namespace canang::actors {

namespace {

constexpr std::chrono::milliseconds drain_check_interval{50};

/// Handed to the hubs and marks the end of the grace.
using drain_grace_atom = caf::atom_constant<caf::atom("graceover")>;

} // namespace

node::node(caf::actor_config& config, node_parts parts)
  : event_based_actor(config), parts_(std::move(parts)) {}

caf::behavior node::make_behavior() {
  set_down_handler([this](const caf::down_msg& death) { on_down(death); });
  start();
  return {
    [this](const shut_down&) { begin_drain(); },
    [this](drain_grace_atom) { close_connections(); },
    [this](const drain_check&) { check_drain(); },
  };
}

void node::start() {
  for (auto& home : parts_.homes)
    parts_.cast.push_back(home->spawn_cast());
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
    parts_.homes[i]->listen(parts_.sockets.descriptors[i], is_ipv6, {parts_.page, nullptr});
  spdlog::info("ready");
}

void node::begin_drain() {
  if (parts_.status.exchange(node_phase::draining) == node_phase::draining)
    return;
  spdlog::info("draining {} connections", open_connections());
  if (parts_.drain.grace.count() == 0)
    close_connections();
  else
    delayed_send(this, parts_.drain.grace, drain_grace_atom::value);
}

void node::close_connections() {
  for (auto& home : parts_.homes)
    home->stop_listening();
  drain_deadline_ = std::chrono::steady_clock::now() + parts_.drain.period;
  for (const auto& own : parts_.cast)
    send(own.hub, drain{drain_deadline_});
  check_drain();
}

void node::check_drain() {
  const auto open = open_connections();
  if (open == 0 || std::chrono::steady_clock::now() >= drain_deadline_) {
    if (open > 0)
      spdlog::warn("{} connections were cut at the end of the drain period", open);
    stop_cast();
    return;
  }
  delayed_send(this, drain_check_interval, drain_check{});
}

/// In reverse order of the start: rooms first, then who serves them.
void node::stop_cast() {
  is_stopping_ = true;
  for (const auto& own : parts_.cast) {
    send_exit(own.directory, caf::exit_reason::user_shutdown);
    send_exit(own.heartbeat, caf::exit_reason::user_shutdown);
    send_exit(own.hub, caf::exit_reason::user_shutdown);
  }
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

std::uint64_t node::open_connections() const {
  std::uint64_t open = 0;
  for (const auto& home : parts_.homes)
    open += home->metrics().connections.value();
  return open;
}

} // namespace canang::actors
