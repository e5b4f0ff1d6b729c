#pragma once

#include <chrono>
#include <cstdint>

namespace canang::net {

/// Spares a program that does not answer, and its clients the wait for it. After `most_failures` in a row it is open:
/// nobody asks. After a pause one asks, as a trial; if that fails too, the pause doubles. On one thread.
class hook_breaker {
public:
  using clock = std::chrono::steady_clock;

  static constexpr unsigned most_failures = 10;
  static constexpr std::chrono::milliseconds least_pause{1000};
  static constexpr std::chrono::milliseconds most_pause{10'000};

  enum class state : std::uint8_t {
    closed,    ///< all ask
    half_open, ///< one has asked, as a trial
    open,      ///< nobody asks
  };

  /// Whether to ask now. Whoever is told so reports what came of it, with one of the next two.
  [[nodiscard]] bool may_ask(clock::time_point now) noexcept;

  /// There was an answer, whatever it says.
  /// @returns whether that closed it.
  bool succeed() noexcept;

  /// @returns whether that opened it; not where it had been open but for the trial.
  bool fail(clock::time_point now) noexcept;

  [[nodiscard]] state current() const noexcept { return state_; }

private:
  state state_ = state::closed;
  unsigned failures_ = 0; // in a row
  std::chrono::milliseconds pause_ = least_pause;
  clock::time_point until_{};
};

} // namespace canang::net
