#pragma once

#include "net/limits.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace canang::net {

/// What a publication costs of a second's allowance: a thousandth of it at 1,000 messages a second, or as many
/// parts of it as it has of the bytes of a second, whichever is more. In nanoseconds.
class publish_price {
public:
  publish_price() = default;
  explicit publish_price(const publish_rate& limit);

  /// Of a message of so many bytes; 0 when there is no limit. Never more than `longest_price`, so that no
  /// single message holds anybody up for long, however small the rate is.
  [[nodiscard]] std::int64_t of(std::size_t bytes) const noexcept;

  [[nodiscard]] bool is_limited() const noexcept { return ns_a_message_ > 0 || ns_a_byte_ > 0; }

private:
  std::int64_t ns_a_message_ = 0;
  double ns_a_byte_ = 0;
};

/// What somebody may still publish: the generic cell rate algorithm (ITU-T I.371), a leaky bucket in one
/// number, as in `admission`. `publish_burst` of it may be used at once.
class publish_allowance {
public:
  using clock = std::chrono::steady_clock;

  /// Takes what was published already, so it may go below nothing.
  void take(std::int64_t price_ns, clock::time_point now) noexcept;

  /// Forgets what would have to be waited for beyond `longest` from `now`.
  void bound(std::chrono::nanoseconds longest, clock::time_point now) noexcept;

  [[nodiscard]] bool is_used_up(clock::time_point now) const noexcept { return now < next(); }

  /// From when on it is not used up any more.
  [[nodiscard]] clock::time_point next() const noexcept;

private:
  std::int64_t even_ns_ = 0; // when all would have come that did, at an even pace
};

} // namespace canang::net
