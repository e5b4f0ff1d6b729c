#include "cluster/moderation/lifts.hpp"

namespace canang::cluster {

void moderation_lifts::set(const std::string& key, std::uint64_t made_ms) {
  erase(key);
  by_key_.emplace(key, made_ms);
  by_time_.emplace(made_ms, key);
  if (by_key_.size() <= max_remembered)
    return;
  by_key_.erase(by_time_.begin()->second);
  by_time_.erase(by_time_.begin());
}

void moderation_lifts::erase(std::string_view key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end())
    return;
  by_time_.erase({found->second, found->first});
  by_key_.erase(found);
}

std::uint64_t moderation_lifts::made_ms(std::string_view key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? 0 : found->second;
}

} // namespace canang::cluster
