#include "cluster/control/receiver.hpp"

#include <algorithm>

namespace canang::cluster {

control_receiver::sender& control_receiver::sender_of(std::string_view name,
                                                      clock::time_point now) {
  const auto [at, is_new] = senders_.try_emplace(std::string{name});
  at->second.heard_at = now;
  if (is_new && senders_.size() > max_senders) {
    const auto oldest =
      std::min_element(senders_.begin(), senders_.end(), [](const auto& a, const auto& b) {
        return a.second.heard_at < b.second.heard_at;
      });
    if (oldest != at)
      senders_.erase(oldest);
  }
  return at->second;
}

control_receiver::finding control_receiver::note(std::string_view name, std::uint64_t number,
                                                 clock::time_point now) {
  forget(now);
  auto& from = sender_of(name, now);
  if (const auto known = from.commands.find(number); known != from.commands.end()) {
    if (!known->second)
      return {verdict::running, {}};
    return {verdict::answered, *known->second};
  }
  if (number <= from.forgotten_up_to)
    return {verdict::forgotten, {}};
  from.commands.emplace(number, std::nullopt);
  order_.push_back({std::string{name}, number, now});
  return {verdict::is_new, {}};
}

void control_receiver::answered(std::string_view name, std::uint64_t number,
                                const control_answer& answer) {
  const auto from = senders_.find(name);
  if (from == senders_.end())
    return;
  if (const auto known = from->second.commands.find(number); known != from->second.commands.end())
    known->second = answer;
}

/// Before one more is known.
void control_receiver::forget(clock::time_point now) {
  while (!order_.empty() && (order_.size() >= max_known || now - order_.front().at >= known_for)) {
    const auto& oldest = order_.front();
    if (const auto from = senders_.find(oldest.sender); from != senders_.end()) {
      from->second.commands.erase(oldest.number);
      from->second.forgotten_up_to = std::max(from->second.forgotten_up_to, oldest.number);
    }
    order_.pop_front();
  }
}

} // namespace canang::cluster
