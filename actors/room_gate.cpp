#include "actors/room_gate.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <utility>

// What a room holds back: publishes above its rate, and answers while it is over it or a loop is far behind.

namespace canang::actors {

/// As mail, so that a fault on the way is the room's.
void room::gate::on_deadline(net::timing_wheel::clock::time_point /*now*/) {
  if (const auto room = caf::actor_cast<caf::actor>(owner_))
    caf::anon_send(room, gate_due{});
}

room::gate& room::ensure_gate() {
  if (!gate_)
    gate_ = std::make_unique<gate>(address(), services_.cast.size());
  return *gate_;
}

bool room::has_waiting() const noexcept { return gate_ && !gate_->waiting.empty(); }

/// Answers stay in order, so none overtakes those that are held.
bool room::may_answer() const {
  return !(gate_ && (gate_->lag_count > 0 || !gate_->outcomes.empty()))
         && !allowance_.is_used_up(services_.context.now());
}

void room::pass_on(publish& request) {
  const auto now = services_.context.now();
  allowance_.take(services_.price.of(request.message->data.size()), now);
  allowance_.bound(net::longest_debt_of_room, now);
  channel_->publish(std::move(request.message), request.idempotency_key);
}

/// Where too much waits already, the oldest goes on all the same: the room goes deeper into its debt, and the
/// answers wait the longer, up to `longest_debt_of_room`.
void room::keep_waiting(publish& request) {
  auto& held = ensure_gate();
  auto& all = services_.metrics.room_waiting_bytes;
  const auto cost = cost_in_flight(*request.message);
  held.waiting_bytes += cost;
  all.add(cost);
  held.waiting.push_back(std::move(request));
  while (has_waiting()
         && (held.waiting_bytes > net::max_waiting_in_room_bytes
             || all.value() > net::max_waiting_in_rooms_bytes))
    pass_on_oldest();
  if (!held.scheduled())
    services_.context.deadlines.schedule(held, allowance_.next());
}

void room::pass_on_oldest() {
  auto oldest = std::move(gate_->waiting.front());
  gate_->waiting.pop_front();
  const auto cost = cost_in_flight(*oldest.message);
  gate_->waiting_bytes -= cost;
  services_.metrics.room_waiting_bytes.subtract(cost);
  pass_on(oldest);
}

void room::hold(const cluster::publish_outcome& outcome) {
  auto& held = ensure_gate();
  held.outcomes.push_back(outcome);
  if (!held.scheduled() && allowance_.is_used_up(services_.context.now()))
    services_.context.deadlines.schedule(held, allowance_.next());
}

/// First what was stored is answered, then as much goes on as the rate allows.
void room::go_on() {
  if (!gate_)
    return;
  const auto is_over = [this] { return allowance_.is_used_up(services_.context.now()); };
  while (!gate_->outcomes.empty() && gate_->lag_count == 0 && !is_over()) {
    answer(gate_->outcomes.front());
    gate_->outcomes.pop_front();
  }
  while (has_waiting() && !is_over())
    pass_on_oldest();
  if (gate_->is_empty()) {
    gate_.reset();
    tell_if_empty();
  } else if (is_over()) {
    services_.context.deadlines.schedule(*gate_, allowance_.next());
  }
}

/// A loop is far behind with what it was sent: nothing is answered until it has come to our mark.
void room::note_lag(std::uint32_t loop) {
  auto& held = ensure_gate();
  if (held.lags[loop])
    return;
  held.lags[loop] = true;
  ++held.lag_count;
  send(services_.cast[loop].hub, hub_mark{loop, caf::actor_cast<caf::actor>(this)});
}

void room::on_reached(std::uint32_t loop) {
  if (!gate_ || !gate_->lags[loop])
    return;
  gate_->lags[loop] = false;
  --gate_->lag_count;
  go_on();
}

void room::drop_gate() {
  if (gate_)
    services_.metrics.room_waiting_bytes.subtract(gate_->waiting_bytes);
  gate_.reset();
}

} // namespace canang::actors
