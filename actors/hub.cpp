#include "actors/hub.hpp"

#include "actors/loop.hpp"

#include <algorithm>

namespace canang::actors {

namespace {

/// The least number of closes a tick of a drain: a node with few connections is gone at once.
constexpr std::size_t min_closes_a_tick = 50;

constexpr std::uint16_t service_restart = 1012;

} // namespace

hub::hub(caf::actor_config& config, fanout& members, net::loop_context& context)
  : pinned(config), members_(members), context_(context) {}

caf::behavior hub::make_behavior() {
  return {
    [this](const add_member& request) { members_.add(request); },
    [this](const remove_member& request) { members_.remove(request.room, request.member); },
    [this](const deliver& order) { members_.deliver(order.room, order.message); },
    [this](const break_order& order) { members_.tell_break(order); },
    [this](const room_failed& report) {
      members_.close_members(report.room, 1011, "internal error", net::close_reason::handler_error);
    },
    [this](const drain& order) { begin_drain(order); },
    [this](const tick& now) {
      if (is_draining_)
        pace_drain(now.now);
    },
  };
}

void hub::on_exit() { members_.abort_all(net::close_reason::drain); }

/// Plans to be through after four fifths of the time: the rest is for clients to answer the close.
void hub::begin_drain(const drain& order) {
  const auto now = context_.now();
  const auto ticks =
    std::max<std::int64_t>((order.deadline - now) * 4 / 5 / loop::tick_interval, 1);
  is_draining_ = true;
  drain_deadline_ = order.deadline;
  closes_a_tick_ =
    std::max(min_closes_a_tick, members_.session_count() / static_cast<std::size_t>(ticks) + 1);
  pace_drain(now);
}

void hub::pace_drain(std::chrono::steady_clock::time_point now) {
  if (now >= drain_deadline_)
    members_.abort_all(net::close_reason::drain);
  else
    members_.close_some(closes_a_tick_, service_restart, "service restart",
                        net::close_reason::drain);
}

} // namespace canang::actors
