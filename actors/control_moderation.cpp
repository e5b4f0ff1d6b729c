#include "actors/control.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <utility>

// What the control actor does for its desk of moderation.

namespace canang::actors {

void control::on_moderation_order(const moderation_order& order) {
  desk_.order(std::move(*order.wish), order.answer);
}

void control::on_acts_told(const acts_told& report) {
  desk_.on_news(report.way, std::move(*report.news));
}

/// One that was superseded by an earlier one does nothing.
void control::on_acts_due(const acts_due& due) {
  if (due.when != wakes_at_)
    return;
  wakes_at_ = clock::time_point::max();
  desk_.on_due();
}

void control::write(std::size_t way, std::uint64_t ticket, std::vector<cluster::act_write> what) {
  send(parts_.bridges.by_shard[way], bridge_write_acts{ticket, std::move(what)});
}

void control::reread(std::size_t way, std::uint64_t ticket) {
  send(parts_.bridges.by_shard[way], bridge_reread_acts{ticket});
}

void control::end_connections(std::uint64_t number, const std::vector<cluster::act_ptr>& acts) {
  const auto what = std::make_shared<const std::vector<cluster::act_ptr>>(acts);
  const auto ticket = begin(parts_.cast.size(),
                            [this, number](std::uint64_t ended) { desk_.on_ended(number, ended); });
  for (const auto& there : parts_.cast)
    send(there.hub, end_banned{what, ticket});
}

void control::tell_all(const cluster::control_command& command,
                       const cluster::control_handler& handler) {
  centre_.send(command, handler);
  check_soon();
}

void control::wake_at(clock::time_point when) {
  constexpr std::chrono::milliseconds longest = std::chrono::hours{24};
  if (when >= wakes_at_)
    return;
  const auto now = now_();
  wakes_at_ = std::min(when, now + longest);
  const auto delay = std::chrono::ceil<std::chrono::milliseconds>(wakes_at_ - now);
  delayed_send(this, std::max(delay, std::chrono::milliseconds{1}), acts_due{wakes_at_});
}

} // namespace canang::actors
