#pragma once

#include "base/shared_value.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace canang {

/// A value that is replaced now and then while others read it; none that was handed out ever changes. From any thread.
template <class Value>
class versioned_value {
public:
  /// @param first not null, as `set`'s.
  explicit versioned_value(std::shared_ptr<const Value> first) { value_.store(std::move(first)); }

  /// Never null.
  [[nodiscard]] std::shared_ptr<const Value> get() const { return value_.load(); }

  void set(std::shared_ptr<const Value> next) {
    value_.store(std::move(next));
    generation_.fetch_add(1, std::memory_order_release);
  }

  /// Grows when the value is replaced. Read it *before* `get`, and what one gets is that or newer.
  [[nodiscard]] std::uint64_t generation() const noexcept {
    return generation_.load(std::memory_order_acquire);
  }

private:
  shared_value<std::shared_ptr<const Value>> value_;
  std::atomic<std::uint64_t> generation_{1};
};

/// What one thread keeps of such a value, so that it costs no lock while that is not replaced.
template <class Value>
class kept_value {
public:
  /// @param source outlives it.
  explicit kept_value(const versioned_value<Value>& source) : source_(source) {}

  /// As it is now. Good until the next call.
  [[nodiscard]] const Value& get() {
    if (const auto now = source_.generation(); now != seen_) {
      value_ = source_.get();
      seen_ = now;
    }
    return *value_;
  }

  [[nodiscard]] std::uint64_t generation() const noexcept { return source_.generation(); }

private:
  const versioned_value<Value>& source_;
  std::shared_ptr<const Value> value_; // of `seen_`, or newer
  std::uint64_t seen_ = 0;
};

} // namespace canang
