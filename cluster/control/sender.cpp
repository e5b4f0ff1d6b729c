#include "cluster/control/sender.hpp"

#include <algorithm>
#include <utility>

namespace canang::cluster {

std::uint64_t control_sender::send(const control_command& command, clock::time_point now,
                                   control_handler handler) {
  if (pending_.size() >= max_pending)
    return 0;
  const auto number = ++last_number_;
  auto& added = pending_[number];
  added.message = encode(node_, number, command);
  added.handler = std::move(handler);
  added.waiting.emplace(node_, node_outcome{.node = node_});
  added.ends_at = now + time_limit;
  added.next_try = now + first_pause;
  added.pause = first_pause;
  added.way = last_way_;
  metrics_.sent.add(1);
  if (carrier_.ways() == 0) {
    added.is_told = true;
    added.is_whole = true;
    return number;
  }
  note_nodes(added);
  tell_all(number, added);
  return number;
}

/// Nodes that came later are waited for too: a copy of the command goes to them.
void control_sender::note_nodes(waiting_command& command) const {
  for (auto& node : carrier_.living()) {
    command.is_whole = true;
    const bool has_answered =
      std::any_of(command.answered.begin(), command.answered.end(),
                  [&](const node_outcome& one) { return one.node == node; });
    if (!has_answered)
      command.waiting.try_emplace(node, node_outcome{.node = node});
  }
}

/// The next one that is up, so that a way which loses messages is not the only one that is tried.
bool control_sender::choose_way(waiting_command& command) const {
  const auto ways = carrier_.ways();
  for (std::size_t i = 1; i <= ways; ++i) {
    const auto way = (command.way + i) % ways;
    if (!carrier_.is_up(way))
      continue;
    command.way = way;
    return true;
  }
  return false;
}

void control_sender::tell_all(std::uint64_t number, waiting_command& command) {
  if (!choose_way(command))
    return;
  last_way_ = command.way;
  command.is_told = true;
  carrier_.carry(command.way, {}, command.message, number);
}

void control_sender::on_carry_failed(std::uint64_t number, std::size_t way) {
  const auto found = pending_.find(number);
  if (found == pending_.end() || found->second.way != way || !found->second.is_told)
    return;
  auto& command = found->second;
  command.is_told = false;
  if (++command.failures < carrier_.ways()) // else at the next try
    tell_all(number, command);
}

void control_sender::try_again(std::uint64_t number, waiting_command& command) {
  note_nodes(command);
  if (is_through(command))
    return;
  metrics_.retries.add(1);
  if (!command.is_told) {
    command.failures = 0;
    tell_all(number, command);
    return;
  }
  if (carrier_.ways() == 0 || !choose_way(command))
    return;
  for (const auto& [node, unused] : command.waiting)
    if (node != node_)
      carrier_.carry(command.way, node, command.message, number);
}

void control_sender::on_answer(std::uint64_t number, std::string_view node,
                               const control_answer& answer) {
  const auto found = pending_.find(number);
  if (found == pending_.end()) {
    metrics_.late.add(1);
    return;
  }
  auto& command = found->second;
  const auto is_same = [&](const node_outcome& one) { return one.node == node; };
  if (std::any_of(command.answered.begin(), command.answered.end(), is_same))
    return;
  if (const auto waited = command.waiting.find(node); waited != command.waiting.end())
    command.waiting.erase(waited); // else one that has only come: it was told all the same
  command.answered.push_back({std::string{node}, answer.outcome, answer.count});
  if (is_through(command))
    finish(found);
}

void control_sender::tick(clock::time_point now) {
  for (auto at = pending_.begin(); at != pending_.end();) {
    const auto which = at++;
    auto& command = which->second;
    if (now >= command.ends_at) {
      finish(which);
    } else if (now >= command.next_try) {
      command.pause *= 2;
      command.next_try = now + command.pause;
      try_again(which->first, command);
      if (is_through(command))
        finish(which);
    }
  }
}

/// Who there is is known, and all of them have answered.
bool control_sender::is_through(const waiting_command& command) noexcept {
  return command.is_whole && command.waiting.empty();
}

/// Its handler may send the next command.
void control_sender::finish(pending_map::iterator which) {
  auto command = std::move(which->second);
  pending_.erase(which);
  control_result result;
  result.is_whole = command.is_whole;
  result.nodes = std::move(command.answered);
  const auto living = carrier_.living();
  for (auto& [node, one] : command.waiting) {
    const bool is_there =
      node == node_ || std::find(living.begin(), living.end(), node) != living.end();
    one.outcome = is_there ? control_outcome::timed_out : control_outcome::gone;
    result.nodes.push_back(std::move(one));
  }
  const auto own = std::find_if(result.nodes.begin(), result.nodes.end(),
                                [this](const node_outcome& one) { return one.node == node_; });
  std::rotate(result.nodes.begin(), own, std::next(own));
  for (const auto& one : result.nodes)
    count(one.outcome);
  if (command.handler)
    command.handler(std::move(result));
}

void control_sender::count(control_outcome outcome) {
  switch (outcome) {
  case control_outcome::done: metrics_.done.add(1); break;
  case control_outcome::unsupported: metrics_.unsupported.add(1); break;
  case control_outcome::timed_out: metrics_.timed_out.add(1); break;
  case control_outcome::gone: metrics_.gone.add(1); break;
  }
}

} // namespace canang::cluster
