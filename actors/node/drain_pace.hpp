#pragma once

#include "actors/messages.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

namespace canang::actors {

/// In which order and when the connections of a loop are closed: evenly over a window, each one at a
/// random moment within its even share, in random order. So the clients that come back to the other nodes
/// come as a steady drizzle, and those of one room do not come together.
class drain_pace {
public:
  using clock = std::chrono::steady_clock;

  /// The window is `window`, or less where there are few: `min_rate` closes a second at least.
  drain_pace(std::vector<connection_id> who, clock::time_point begin, clock::duration window,
             std::uint32_t seed);

  /// Calls `close` for each connection whose moment has come since the last call.
  template <class Close>
  void advance(clock::time_point now, Close close) {
    while (next_ < who_.size() && now >= moments_[next_])
      close(who_[next_++]);
  }

  /// Whether everyone's moment has come.
  [[nodiscard]] bool is_through() const noexcept { return next_ == who_.size(); }

  /// Closes a second and loop when there are so few that the window would be a needless wait.
  static constexpr std::size_t min_rate = 10;

private:
  std::vector<connection_id> who_;
  std::vector<clock::time_point> moments_; // ascending
  std::size_t next_ = 0;
};

} // namespace canang::actors
