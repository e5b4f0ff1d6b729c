#include "net/admission.hpp"

#include <algorithm>

namespace canang::net {

namespace {

/// How far connections may be ahead of an even rate: a quarter of a second's worth at once.
constexpr std::int64_t burst_ns = 250'000'000;

constexpr std::int64_t second_ns = 1'000'000'000;

double part_left(std::uint64_t used, std::uint64_t limit) noexcept {
  if (limit == 0)
    return 1;
  return used >= limit ? 0 : 1 - static_cast<double>(used) / static_cast<double>(limit);
}

} // namespace

std::optional<reject_reason> admission::refusal(clock::time_point now,
                                                std::size_t weight) noexcept {
  if (limits_.max_memory_bytes != 0 && memory_used_bytes_ >= limits_.max_memory_bytes)
    return reject_reason::memory;
  if (limits_.max_connections != 0 && open_connections() >= limits_.max_connections)
    return reject_reason::connections;
  if (limits_.accepts_per_second != 0 && !take_turn(now, weight))
    return reject_reason::rate;
  return std::nullopt;
}

std::uint64_t admission::open_connections() const noexcept {
  std::uint64_t open = 0;
  for (const auto* of_loop : connections_)
    open += of_loop->value();
  return open;
}

/// The generic cell rate algorithm (ITU-T I.371), a leaky bucket in one number.
bool admission::take_turn(clock::time_point now, std::size_t weight) noexcept {
  const auto share_ns = static_cast<std::int64_t>(weight) * second_ns
                        / static_cast<std::int64_t>(limits_.accepts_per_second);
  const auto now_ns =
    std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  auto next = next_turn_ns_.load(std::memory_order_relaxed);
  for (;;) {
    const auto turn = std::max(next, now_ns);
    if (turn - now_ns > burst_ns)
      return false;
    if (next_turn_ns_.compare_exchange_weak(next, turn + share_ns, std::memory_order_relaxed))
      return true;
  }
}

double admission::headroom() const noexcept {
  return std::min(part_left(open_connections(), limits_.max_connections),
                  part_left(memory_used_bytes_, limits_.max_memory_bytes));
}

} // namespace canang::net
