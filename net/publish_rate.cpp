#include "net/publish_rate.hpp"

#include <algorithm>

namespace canang::net {

namespace {

using std::chrono::nanoseconds;

/// A second's worth, less what is let pass beyond it.
constexpr double second_ns = 1e9 / (1 + publish_tolerance);

double share_of_second(std::uint64_t count) noexcept {
  return count == 0 ? 0 : second_ns / static_cast<double>(count);
}

std::int64_t in_ns(std::chrono::steady_clock::time_point when) noexcept {
  return nanoseconds{when.time_since_epoch()}.count();
}

} // namespace

publish_price::publish_price(const publish_rate& limit)
  : ns_a_message_(static_cast<std::int64_t>(share_of_second(limit.messages_a_second))),
    ns_a_byte_(share_of_second(limit.bytes_a_second)) {}

std::int64_t publish_price::of(std::size_t bytes) const noexcept {
  constexpr std::int64_t most = nanoseconds{longest_price}.count();
  const auto of_bytes = static_cast<double>(bytes) * ns_a_byte_;
  return std::min(most, std::max(ns_a_message_, static_cast<std::int64_t>(
                                                  std::min(of_bytes, static_cast<double>(most)))));
}

void publish_allowance::take(std::int64_t price_ns, clock::time_point now) noexcept {
  even_ns_ = std::max(even_ns_, in_ns(now)) + price_ns;
}

void publish_allowance::bound(nanoseconds longest, clock::time_point now) noexcept {
  even_ns_ = std::min(even_ns_, in_ns(now) + longest.count());
}

publish_allowance::clock::time_point publish_allowance::next() const noexcept {
  return clock::time_point{nanoseconds{even_ns_} - publish_burst};
}

} // namespace canang::net
