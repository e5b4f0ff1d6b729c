#include "cluster/control/centre.hpp"

#include <utility>

namespace canang::cluster {

control_centre::control_centre(std::string node, control_carrier& carrier,
                               control_executor& executor, control_metrics& metrics,
                               std::function<clock::time_point()> now)
  : node_(std::move(node)),
    carrier_(carrier),
    executor_(executor),
    metrics_(metrics),
    now_(std::move(now)),
    sender_(node_, carrier, metrics) {}

void control_centre::send(const control_command& command, const control_handler& handler) {
  control_result refusal;
  if (!is_valid(command)) {
    refusal.error = control_errc::too_large;
    handler(std::move(refusal));
    return;
  }
  const auto number = sender_.send(command, now_(), handler);
  if (number == 0) {
    metrics_.refused.add(1);
    refusal.error = control_errc::busy;
    handler(std::move(refusal));
    return;
  }
  executor_.execute(
    command, [this, number, alive = std::weak_ptr<bool>{is_alive_}](std::uint64_t connections) {
      if (!alive.expired())
        sender_.on_answer(number, node_, {control_outcome::done, connections});
    });
}

void control_centre::on_message(std::size_t way, std::string_view bytes) {
  control_message message;
  switch (read_control_message(bytes, message)) {
  case control_wire_errc::none: break;
  case control_wire_errc::foreign: metrics_.bad_foreign.add(1); return;
  case control_wire_errc::version: metrics_.bad_version.add(1); return;
  case control_wire_errc::malformed: metrics_.bad_malformed.add(1); return;
  }
  if (message.node == node_)
    return; // all nodes hear what they send to all
  if (const auto* const answered = std::get_if<control_answer>(&message.content))
    sender_.on_answer(message.number, message.node, *answered);
  else
    on_command(way, message);
}

void control_centre::on_command(std::size_t way, const control_message& message) {
  const auto found = receiver_.note(message.node, message.number, now_());
  switch (found.what) {
  case control_receiver::verdict::is_new:
    metrics_.received.add(1);
    execute(way, message);
    return;
  case control_receiver::verdict::answered:
    answer(way, message.node, message.number, found.answer);
    break;
  case control_receiver::verdict::running:
  case control_receiver::verdict::forgotten: break;
  }
  metrics_.repeated.add(1);
}

void control_centre::execute(std::size_t way, const control_message& message) {
  const auto finish = [this, way, from = message.node, number = message.number,
                       alive = std::weak_ptr<bool>{is_alive_}](const control_answer& outcome) {
    if (alive.expired())
      return;
    receiver_.answered(from, number, outcome);
    answer(way, from, number, outcome);
  };
  if (const auto* const command = std::get_if<control_command>(&message.content))
    executor_.execute(*command, [finish](std::uint64_t connections) {
      finish({control_outcome::done, connections});
    });
  else
    finish({control_outcome::unsupported, 0});
}

/// By the way that the command took, or by another one if that is down now.
void control_centre::answer(std::size_t way, const std::string& to, std::uint64_t number,
                            const control_answer& answer) {
  const auto ways = carrier_.ways();
  for (std::size_t i = 0; i < ways; ++i) {
    const auto tried = (way + i) % ways;
    if (!carrier_.is_up(tried))
      continue;
    carrier_.carry(tried, to, encode(node_, number, answer), 0);
    return;
  }
}

} // namespace canang::cluster
