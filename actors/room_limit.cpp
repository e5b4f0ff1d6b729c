#include "actors/room_limit.hpp"

#include <algorithm>

namespace canang::actors {

namespace {

constexpr std::chrono::nanoseconds line_interval = std::chrono::minutes{1};

} // namespace

std::uint64_t room_limit::sum(net::counter net::loop_metrics::*member) const noexcept {
  std::uint64_t total = 0;
  for (const auto* const loop : loops_)
    total += (loop->*member).value();
  return total;
}

std::uint64_t room_limit::excess() const noexcept {
  if (most_ == 0)
    return 0;
  const auto wanted = sum(&net::loop_metrics::known_rooms) + 1;
  return wanted > most_ ? wanted - most_ : 0;
}

bool room_limit::can_give_way() const noexcept {
  return sum(&net::loop_metrics::known_rooms) < most_ + sum(&net::loop_metrics::idle_rooms);
}

std::size_t room_limit::idlest_loop() const noexcept {
  const auto idlest =
    std::max_element(loops_.begin(), loops_.end(), [](const auto* a, const auto* b) {
      return a->idle_rooms.value() < b->idle_rooms.value();
    });
  return static_cast<std::size_t>(idlest - loops_.begin());
}

std::optional<std::uint64_t> room_limit::note_refusal(clock::time_point now) noexcept {
  const auto now_ns = std::chrono::nanoseconds{now.time_since_epoch()}.count();
  auto next = next_line_ns_.load(std::memory_order_relaxed);
  if (now_ns < next
      || !next_line_ns_.compare_exchange_strong(next, now_ns + line_interval.count(),
                                                std::memory_order_relaxed)) {
    unsaid_.fetch_add(1, std::memory_order_relaxed);
    return std::nullopt;
  }
  return unsaid_.exchange(0, std::memory_order_relaxed);
}

} // namespace canang::actors
