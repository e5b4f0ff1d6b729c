#include "cluster/redis/channels.hpp"

namespace canang::cluster {

void redis_channels::want(std::string_view channel) {
  auto found = channels_.find(channel);
  if (found == channels_.end())
    found = channels_.try_emplace(std::string{channel}).first;
  if (found->second.is_wanted)
    return;
  found->second.is_wanted = true;
  enqueue(*found);
}

void redis_channels::unwant(std::string_view channel) {
  const auto found = channels_.find(channel);
  if (found == channels_.end() || !found->second.is_wanted)
    return;
  found->second.is_wanted = false;
  settle(found->second);
  enqueue(*found);
}

void redis_channels::begin() {
  queue_.clear();
  unconfirmed_ = 0;
  unsettled_ = 0;
  std::erase_if(channels_, [](const auto& entry) { return !entry.second.is_wanted; });
  for (auto& entry : channels_) {
    entry.second = {};
    entry.second.is_wanted = true;
    entry.second.is_unsettled = true;
    ++unsettled_;
    enqueue(entry);
  }
}

redis_channels::batch redis_channels::next() {
  batch result;
  while (!queue_.empty() && unconfirmed_ < most_unconfirmed
         && result.subscribe.size() < most_a_command && result.unsubscribe.size() < most_a_command
         && result.confirmed.size() < most_a_command) {
    auto& entry = *queue_.front();
    queue_.pop_front();
    entry.second.is_queued = false;
    decide(entry, result);
  }
  return result;
}

void redis_channels::decide(channel_map::value_type& entry, batch& result) {
  auto& [name, state] = entry;
  if (state.is_wanted != state.is_sent) {
    state.is_sent = state.is_wanted;
    ++state.unconfirmed;
    ++unconfirmed_;
    (state.is_wanted ? result.subscribe : result.unsubscribe).push_back(name);
  } else if (state.unconfirmed == 0) {
    if (state.is_wanted)
      result.confirmed.push_back(name);
    else
      channels_.erase(channels_.find(name));
  }
}

bool redis_channels::confirm(std::string_view channel) {
  const auto found = channels_.find(channel);
  if (found == channels_.end() || found->second.unconfirmed == 0)
    return false;
  auto& state = found->second;
  --state.unconfirmed;
  --unconfirmed_;
  if (state.unconfirmed > 0)
    return false;
  if (state.is_wanted && state.is_sent) {
    settle(state);
    return true;
  }
  if (!state.is_wanted && !state.is_sent && !state.is_queued)
    channels_.erase(found);
  return false;
}

bool redis_channels::is_wanted(std::string_view channel) const {
  const auto found = channels_.find(channel);
  return found != channels_.end() && found->second.is_wanted;
}

void redis_channels::enqueue(channel_map::value_type& entry) {
  if (entry.second.is_queued)
    return;
  entry.second.is_queued = true;
  queue_.push_back(&entry);
}

void redis_channels::settle(channel& state) {
  if (state.is_unsettled) {
    state.is_unsettled = false;
    --unsettled_;
  }
}

} // namespace canang::cluster
