#pragma once

#include "base/name_map.hpp"

#include <boost/container/deque.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace canang::cluster {

/// Under which idempotency keys something was published in a room, for as long as they are known. No
/// clock, no thread of its own; part of a room of a node that runs alone.
class idempotency_keys {
public:
  using clock = std::chrono::steady_clock;

  idempotency_keys() = default;
  idempotency_keys(const idempotency_keys&) = delete;
  idempotency_keys& operator=(const idempotency_keys&) = delete;

  /// The offset of what was published with it.
  [[nodiscard]] std::optional<std::uint64_t> find(std::string_view key) const;

  /// Of a key that is not known. Lifetimes end in the order of the calls; above `most` the oldest goes.
  void remember(std::string_view key, std::uint64_t offset, clock::time_point expires_at,
                std::size_t most);

  void forget_old(clock::time_point now);

  [[nodiscard]] bool empty() const noexcept { return order_.empty(); }

  /// Bytes of memory that they take, the object included.
  [[nodiscard]] std::size_t cost() const noexcept;

private:
  struct use {
    std::uint64_t offset = 0;
    clock::time_point expires_at;
  };
  using key_map = name_map<use>;

  [[nodiscard]] static std::size_t cost_of(const std::string& key) noexcept;
  void forget_oldest();

  key_map keys_;
  boost::container::deque<const std::string*>
    order_; // oldest first; the map's entries stay in place
  std::size_t keys_cost_ = 0;
};

} // namespace canang::cluster
