#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace canang::test {

/// Whether it becomes true within 10 s. It is looked at once a millisecond: what it waits for happens on other threads,
/// which tell nobody.
inline bool becomes(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return true;
}

} // namespace canang::test
