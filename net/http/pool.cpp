#include "net/http/pool.hpp"

#include <cassert>

namespace canang::net {

/// Whether the first one has to go before one more comes.
bool http_pool::is_too_full(clock::time_point now) const noexcept {
  if (members_.empty() || members_.size() >= limit_)
    return !members_.empty();
  return members_.size() >= max_silent_connections_a_loop
         && now - members_.front().silent_since_ > newcomer_time;
}

void http_pool::enter(member& who, clock::time_point now) {
  assert(!who.is_linked());
  // two at most, so that after a burst it becomes smaller again, and nobody waits for thousands to go
  for (int i = 0; i < 2 && is_too_full(now); ++i)
    members_.front().give_way();
  who.silent_since_ = now;
  members_.push_back(who);
  open_.add(1);
}

void http_pool::note_request(member& who, clock::time_point now) noexcept {
  if (!who.is_linked())
    return;
  who.silent_since_ = now;
  members_.splice(members_.end(), members_, members_.iterator_to(who));
}

void http_pool::leave(member& who) noexcept {
  if (!who.is_linked())
    return;
  members_.erase(members_.iterator_to(who));
  open_.subtract(1);
}

} // namespace canang::net
