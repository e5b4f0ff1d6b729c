#include "actors/hub.hpp"

#include "actors/interfaces.hpp"

#include <algorithm>
#include <iterator>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::actors {

namespace {

constexpr std::uint16_t internal_error = 1011;
constexpr std::uint16_t service_restart = 1012;
constexpr std::string_view restart_text = "service restart";

} // namespace

hub::hub(caf::actor_config& config, fanout& members, net::loop_context& context)
  : pinned(config),
    members_(members),
    context_(context),
    bans_(members, [this](const control_ticket& of, std::uint64_t ended) {
      send(of.to, control_part{of.id, ended});
    }) {}

caf::behavior hub::make_behavior() {
  return interfaces::hub::behavior_type{
    [this](const add_member& request) { members_.add(request); },
    [this](const remove_member& order) { members_.remove(order); },
    [this](const deliver& order) {
      members_.deliver(order.room, order.message);
      context_.metrics.backlog_bytes->subtract(cost_in_flight(*order.message));
    },
    [this](const hub_mark& mark) { send(mark.from, hub_reached{mark.loop}); },
    [this](const break_order& order) { members_.tell_break(order); },
    [this](const room_failed& report) {
      members_.end_room(report.room, {internal_error, "internal error"});
    },
    [this](const close_user& order) { on_close_user(order); },
    [this](const subscribe_user& order) { on_subscribe_user(order); },
    [this](const end_banned& order) { bans_.add(order); },
    [this](const refresh_connections& order) { on_refresh(order); },
    [this](const count_connections& asked) {
      const auto found = members_.find_user(asked.what->user, asked.which);
      send(asked.ticket.to, control_part{asked.ticket.id, found.size()});
    },
    [this](const emulate& order) {
      context_.emulated.take(order.session, std::move(*order.message), order.answer);
    },
    [this](const drain& order) { begin_drain(order); },
    [this](const shed& order) { begin_shed(order); },
    [this](const tick& now) { on_tick(now.now); },
  }
    .unbox();
}

void hub::on_exit() {
  bans_.clear();
  invited_.clear();
  refreshed_.clear();
  members_.abort_all(net::close_reason::drain);
}

void hub::on_tick(std::chrono::steady_clock::time_point now) {
  members_.on_tick(now);
  end_some();
  bans_.on_tick();
  invite_some();
  refresh_some();
  if (pace_)
    pace_drain(now);
  else if (shed_)
    shed_->advance(now, [&](connection_id who) {
      members_.close_one(who, service_restart, "rebalance", net::close_reason::rebalance);
    });
}

/// However many a user has: they are closed a few at a time.
void hub::on_close_user(const close_user& order) {
  const auto found = members_.find_user(order.what->user, order.which);
  const bool may_begin = condemned_.empty();
  for (const auto who : found) {
    members_.forget_user(who);
    condemned_.push_back({who, order.what});
  }
  send(order.ticket.to, control_part{order.ticket.id, found.size()});
  if (may_begin)
    end_some();
}

/// A few at a time, too. Those beyond what may wait are not made members, and so not counted.
void hub::on_subscribe_user(const subscribe_user& order) {
  const auto tally = std::make_shared<subscribe_tally>(order.ticket);
  const bool may_begin = invited_.empty();
  for (const auto who : members_.find_user(order.what->user, order.which))
    if (invited_.size() < net::max_invited)
      invited_.push_back({who, order.what, tally});
  if (may_begin)
    invite_some();
}

/// A few at a time, too.
void hub::on_refresh(const refresh_connections& order) {
  const auto found = members_.find_user(order.what->user, order.which);
  const bool may_begin = refreshed_.empty();
  for (const auto who : found)
    refreshed_.emplace_back(who, order.what->expires_at);
  send(order.ticket.to, control_part{order.ticket.id, found.size()});
  if (may_begin)
    refresh_some();
}

void hub::refresh_some() {
  for (std::size_t i = 0; i < net::max_invited_a_turn && !refreshed_.empty(); ++i) {
    const auto [who, until] = refreshed_.front();
    refreshed_.pop_front();
    members_.refresh(who, until);
  }
}

void hub::invite_some() {
  for (std::size_t i = 0; i < net::max_invited_a_turn && !invited_.empty(); ++i) {
    const auto one = std::move(invited_.front());
    invited_.pop_front();
    members_.invite(one.who, {one.what->room, one.what->since, one.tally});
  }
}

void hub::end_some() {
  for (std::size_t i = 0; i < net::max_disconnected_a_turn && !condemned_.empty(); ++i) {
    const auto [who, what] = std::move(condemned_.front());
    condemned_.pop_front();
    members_.end_one(who, what->code, what->reason, net::close_reason::disconnected);
  }
}

/// Some at random, over the second until the next order comes.
void hub::begin_shed(const shed& order) {
  auto all = members_.open_sessions();
  std::vector<connection_id> some;
  some.reserve(std::min(order.count, all.size()));
  std::sample(all.begin(), all.end(), std::back_inserter(some), order.count,
              std::mt19937{std::random_device{}()});
  shed_.emplace(std::move(some), context_.now(), std::chrono::seconds{1}, std::random_device{}());
}

/// Plans to be through after four fifths of the time: the rest is for clients to answer the close.
void hub::begin_drain(const drain& order) {
  const auto now = context_.now();
  drain_deadline_ = order.deadline;
  pace_.emplace(members_.open_sessions(), now, (order.deadline - now) * 4 / 5,
                std::random_device{}());
  close_due(now);
}

void hub::pace_drain(std::chrono::steady_clock::time_point now) {
  close_due(now);
  if (now >= drain_deadline_)
    members_.abort_all(net::close_reason::drain);
}

void hub::close_due(std::chrono::steady_clock::time_point now) {
  pace_->advance(now, [&](connection_id who) {
    members_.close_one(who, service_restart, restart_text, net::close_reason::drain);
  });
  if (pace_->is_through()) // who was on the way in when the pace was planned
    members_.close_all(service_restart, restart_text, net::close_reason::drain);
}

} // namespace canang::actors
