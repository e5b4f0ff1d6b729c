#include "actors/control.hpp"

#include "actors/node/announcement.hpp"
#include "actors/node/shards.hpp"
#include "base/parse_number.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <utility>

namespace canang::actors {

namespace {

constexpr std::chrono::milliseconds check_interval{100};

/// Commands that may be in execution here: more are only when a loop is stuck, and then nobody waits for the oldest
/// any more.
constexpr std::size_t max_executions = 4096;

// The two know nothing of each other.

cluster::relay_outcome outcome_of(net::emulation_outcome outcome) noexcept {
  switch (outcome) {
  case net::emulation_outcome::taken: return cluster::relay_outcome::taken;
  case net::emulation_outcome::unknown: return cluster::relay_outcome::unknown;
  case net::emulation_outcome::busy: return cluster::relay_outcome::busy;
  case net::emulation_outcome::unavailable: break;
  }
  return cluster::relay_outcome::unavailable;
}

net::emulation_outcome outcome_of(cluster::relay_outcome outcome) noexcept {
  switch (outcome) {
  case cluster::relay_outcome::taken: return net::emulation_outcome::taken;
  case cluster::relay_outcome::unknown: return net::emulation_outcome::unknown;
  case cluster::relay_outcome::busy: return net::emulation_outcome::busy;
  case cluster::relay_outcome::unavailable: break;
  }
  return net::emulation_outcome::unavailable;
}

} // namespace

control::control(caf::actor_config& config, control_parts parts,
                 std::function<std::chrono::steady_clock::time_point()> now)
  : pinned(config),
    parts_(std::move(parts)),
    now_(std::move(now)),
    centre_(parts_.node, *this, *this, parts_.metrics, now_),
    relay_(parts_.node, *this, *this, parts_.metrics, now_),
    desk_(*this, parts_.moderation.source, parts_.moderation.metrics, now_) {}

caf::behavior control::make_behavior() {
  return {
    [this](const control_order& order) { on_order(order); },
    [this](const control_mail& mail) { on_mail(mail); },
    [this](const control_failed& report) { on_failed(report); },
    [this](const control_part& part) { on_part(part); },
    [this](const moderation_order& order) { on_moderation_order(order); },
    [this](const acts_query& query) { query.answer(desk_.list(query.wanted)); },
    [this](const acts_told& report) { on_acts_told(report); },
    [this](const acts_written& report) { desk_.on_written(report.ticket, report.came_of_it); },
    [this](const acts_reread& report) { desk_.on_reread(report.ticket); },
    [this](const acts_due& due) { on_acts_due(due); },
    [this](const relay_order& order) { on_relay_order(order); },
    [this](const relay_done& report) { relay_.on_done(report.number, outcome_of(report.outcome)); },
    [this](const control_check&) { check(); },
  };
}

void control::on_exit() { executions_.clear(); }

void control::on_order(const control_order& order) {
  centre_.send(order.command, order.answer);
  check_soon();
}

/// There are no ticks while nothing waits.
void control::check_soon() {
  if (!(centre_.is_waiting() || relay_.is_waiting()) || std::exchange(is_check_due_, true))
    return;
  delayed_send(this, check_interval, control_check{});
}

void control::check() {
  is_check_due_ = false;
  centre_.tick();
  relay_.tick();
  check_soon();
}

void control::on_mail(const control_mail& mail) {
  if (relay_.on_message(mail.way, mail.message))
    check_soon();
  else
    centre_.on_message(mail.way, mail.message);
}

void control::on_failed(const control_failed& report) {
  if (!relay_.on_carry_failed(report.number))
    centre_.on_carry_failed(report.number, report.way);
}

void control::on_relay_order(const relay_order& order) {
  relay_.send(order.node, *order.message, [answer = order.answer](cluster::relay_outcome outcome) {
    answer(outcome_of(outcome));
  });
  check_soon();
}

// --- execution on this node ---------------------------------------------------------------------

control_ticket control::begin(std::size_t parts, done_handler done) {
  if (executions_.size() >= max_executions)
    executions_.erase(executions_.begin());
  const auto id = ++last_execution_;
  executions_.emplace(id, execution{parts, 0, std::move(done)});
  return {caf::actor_cast<caf::actor>(this), id};
}

/// The connection of that name, `NODE/NUMBER`, if it can be one of this node; else 0.
connection_id control::here(std::string_view client) const {
  const auto end = client.find('/');
  if (end == std::string_view::npos || client.substr(0, end) != parts_.node)
    return 0;
  return parse_number<connection_id>(client.substr(end + 1)).value_or(0);
}

void control::execute(const cluster::control_command& command, done_handler done) {
  if (const auto* const acts = std::get_if<cluster::read_acts>(&command)) {
    desk_.execute(*acts, std::move(done));
    return;
  }
  const auto& client =
    std::visit([](const auto& one) -> const std::string& { return one.client; }, command);
  chosen_connections which{.only = here(client)};
  if (which.only == 0 && !client.empty()) {
    done(0); // of another node
    return;
  }
  if (const auto* const remove = std::get_if<cluster::remove_from_room>(&command)) {
    const auto& home = parts_.cast[home_of(remove->room, parts_.cast.size())];
    send(home.directory, expel_user{remove->room, remove->user, begin(1, std::move(done)), which});
    return;
  }
  const auto ticket = begin(parts_.cast.size(), std::move(done));
  const auto tell_hubs = [this](const auto& order) {
    for (const auto& there : parts_.cast)
      send(there.hub, order);
  };
  if (const auto* const add = std::get_if<cluster::add_to_room>(&command)) {
    tell_hubs(subscribe_user{std::make_shared<const cluster::add_to_room>(*add), ticket, which});
    return;
  }
  if (const auto* const refresh = std::get_if<cluster::refresh_user>(&command)) {
    tell_hubs(
      refresh_connections{std::make_shared<const cluster::refresh_user>(*refresh), ticket, which});
    return;
  }
  if (const auto* const count = std::get_if<cluster::count_user>(&command)) {
    tell_hubs(
      count_connections{std::make_shared<const cluster::count_user>(*count), ticket, which});
    return;
  }
  const auto what =
    std::make_shared<const cluster::disconnect_user>(std::get<cluster::disconnect_user>(command));
  for (const auto& one : what->spared)
    if (const auto spared = here(one); spared != 0)
      which.spared.push_back(spared);
  tell_hubs(close_user{what, ticket, which});
}

void control::execute(cluster::relayed_message&& message, std::uint64_t number) {
  const auto loop = net::loop_of_secret(message.session);
  if (!loop || *loop >= parts_.cast.size()) {
    relay_.on_done(number, cluster::relay_outcome::unknown);
    return;
  }
  emulate order{std::move(message.session), std::make_shared<std::string>(std::move(message.data)),
                [to = caf::actor_cast<caf::actor>(this), number](net::emulation_outcome outcome) {
                  caf::anon_send(to, relay_done{number, outcome});
                }};
  send(parts_.cast[*loop].hub, std::move(order));
}

void control::on_part(const control_part& part) {
  const auto found = executions_.find(part.id);
  if (found == executions_.end())
    return;
  auto& running = found->second;
  running.connections += part.connections;
  if (--running.parts > 0)
    return;
  const auto ended = std::move(running);
  executions_.erase(found);
  ended.done(ended.connections);
}

// --- other nodes --------------------------------------------------------------------------------

std::vector<std::string> control::living() const {
  std::vector<std::string> nodes;
  for (auto& entry : living_nodes(parts_.shards))
    nodes.push_back(std::move(entry.node));
  return nodes;
}

/// A node of an older release tells no key: its sessions are asked for there.
cluster::session_chance control::chance_of(std::string_view node, std::string_view session) const {
  const auto description = description_of(parts_.shards, node);
  if (!description)
    return cluster::session_chance::no_node;
  const auto key = announcement_in(*description).key;
  return !key || net::is_secret_of(session, *key) ? cluster::session_chance::some
                                                  : cluster::session_chance::none;
}

bool control::is_up(std::size_t way) const {
  return way < parts_.shards.size() && parts_.shards[way]->metrics.up.value() != 0;
}

void control::carry(std::size_t way, std::string_view to, const std::string& message,
                    std::uint64_t number) {
  send(parts_.bridges.by_shard[way], bridge_carry{std::string{to}, message, number});
}

} // namespace canang::actors
