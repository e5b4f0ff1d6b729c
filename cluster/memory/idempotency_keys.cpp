#include "cluster/memory/idempotency_keys.hpp"

#include "base/memory_cost.hpp"

#include <cassert>

namespace canang::cluster {

namespace {

/// The block at the end of the list, and the table of blocks.
constexpr std::size_t list_cost = 512 + 64;

} // namespace

std::size_t idempotency_keys::cost_of(const std::string& key) noexcept {
  return name_map_entry_cost<use> + sizeof(void*) + heap_of(key);
}

std::optional<std::uint64_t> idempotency_keys::find(std::string_view key) const {
  const auto known = keys_.find(key);
  if (known == keys_.end())
    return std::nullopt;
  return known->second.offset;
}

void idempotency_keys::remember(std::string_view key, std::uint64_t offset,
                                clock::time_point expires_at, std::size_t most) {
  const auto [at, is_new] = keys_.try_emplace(std::string{key}, use{offset, expires_at});
  assert(is_new);
  order_.push_back(&at->first);
  keys_cost_ += cost_of(at->first);
  while (order_.size() > most)
    forget_oldest();
}

void idempotency_keys::forget_old(clock::time_point now) {
  while (!order_.empty() && keys_.find(*order_.front())->second.expires_at <= now)
    forget_oldest();
}

void idempotency_keys::forget_oldest() {
  const auto oldest = keys_.find(*order_.front());
  keys_cost_ -= cost_of(oldest->first);
  order_.pop_front();
  keys_.erase(oldest);
}

std::size_t idempotency_keys::cost() const noexcept {
  return allocated(sizeof(idempotency_keys)) + first_buckets_cost + list_cost + keys_cost_;
}

} // namespace canang::cluster
