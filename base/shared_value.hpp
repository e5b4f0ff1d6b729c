#pragma once

#include <mutex>
#include <utility>

namespace canang {

/// A value that one thread sets now and then and any thread may read. With a mutex: a load of libstdc++'s
/// `std::atomic<std::shared_ptr>` gives its lock back without release (GCC 12), which is a data race.
template <class Value>
class shared_value {
public:
  void store(Value value) {
    {
      const std::lock_guard lock{mutex_};
      std::swap(value_, value);
    } // what it was goes without the lock
  }

  [[nodiscard]] Value load() const {
    const std::lock_guard lock{mutex_};
    return value_;
  }

private:
  mutable std::mutex mutex_;
  Value value_{};
};

} // namespace canang
