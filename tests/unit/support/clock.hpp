#pragma once

#include <chrono>

namespace canang::test {

/// A clock that stands still until it is moved.
struct moving_clock {
  std::chrono::steady_clock::time_point now{std::chrono::hours{1000}};

  template <class Duration>
  void move(Duration by) {
    now += by;
  }
};

} // namespace canang::test
