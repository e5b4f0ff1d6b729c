#include "net/hooks/hook_breaker.hpp"

#include <algorithm>

namespace canang::net {

bool hook_breaker::may_ask(clock::time_point now) noexcept {
  if (state_ == state::open && now >= until_) {
    state_ = state::half_open;
    return true;
  }
  return state_ == state::closed;
}

bool hook_breaker::succeed() noexcept {
  const bool was_closed = state_ == state::closed;
  *this = {};
  return !was_closed;
}

/// What was asked before it opened may fail afterwards: that is no trial.
bool hook_breaker::fail(clock::time_point now) noexcept {
  if (state_ == state::open)
    return false;
  if (state_ == state::half_open) {
    pause_ = std::min(2 * pause_, most_pause);
  } else if (++failures_ < most_failures) {
    return false;
  }
  const bool is_new = state_ == state::closed;
  state_ = state::open;
  until_ = now + pause_;
  return is_new;
}

} // namespace canang::net
