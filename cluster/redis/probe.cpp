#include "cluster/redis/probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>

namespace canang::cluster {

redis_probe::redis_probe(std::chrono::milliseconds interval, std::chrono::milliseconds timeout)
  : interval_(interval), timeout_(timeout) {
  std::random_device random;
  nonce_ = fmt::format("{:08x}{:08x}:", random(), random());
}

void redis_probe::begin(clock::time_point now) {
  unseen_.clear();
  begun_at_ = now;
  sent_at_ = {};
  is_back_ = false;
}

std::string redis_probe::send(clock::time_point now) {
  unseen_.push_back({++number_, now});
  sent_at_ = now;
  return fmt::format("{}{}", nonce_, number_);
}

bool redis_probe::saw(std::string_view payload) {
  const auto at = payload.find(nonce_);
  if (at == std::string_view::npos)
    return false;
  payload.remove_prefix(at + nonce_.size());
  std::uint64_t number = 0;
  std::from_chars(payload.data(), payload.data() + payload.size(), number);
  const auto found = std::find_if(unseen_.begin(), unseen_.end(),
                                  [&](const auto& probe) { return probe.number == number; });
  if (found == unseen_.end())
    return false;
  unseen_.erase(unseen_.begin(), found + 1); // the older ones were lost before the link was good
  is_back_ = true;
  return true;
}

bool redis_probe::is_due(clock::time_point now) const noexcept {
  return sent_at_ == clock::time_point{} || now - sent_at_ >= interval_;
}

// Before the first is sent (its channel is not confirmed yet) it counts from the beginning.
redis_probe::clock::time_point redis_probe::waiting_since() const noexcept {
  if (!unseen_.empty())
    return unseen_.front().at;
  return is_back_ ? clock::time_point::max() - timeout_ : begun_at_;
}

bool redis_probe::is_overdue(clock::time_point now) const noexcept {
  return now >= waiting_since() + timeout_;
}

redis_probe::clock::time_point redis_probe::next_check() const noexcept {
  const auto deadline = waiting_since() + timeout_;
  return sent_at_ == clock::time_point{} ? deadline : std::min(deadline, sent_at_ + interval_);
}

} // namespace canang::cluster
