#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace canang {

/// When something that Redis has refused is tried again: the pause doubles with each refusal, and is
/// jittered so that the nodes of a cluster do not come all at once.
class retry_pause {
public:
  using clock = std::chrono::steady_clock;

  /// The first pause is up to `least`; a refusal is soon over, or an operator has to act on it.
  static constexpr std::chrono::milliseconds least{200};
  static constexpr std::chrono::milliseconds most{10'000};

  /// Another refusal. @returns the moment from which on it may be tried again: half of the pause is
  /// certain, the other half is chance.
  clock::time_point refuse(clock::time_point now) {
    static thread_local std::minstd_rand random{std::random_device{}()};
    const auto pause = std::min(most, least * (1U << std::min(refusals_, 16U)));
    ++refusals_;
    until_ = now + pause / 2
             + std::chrono::milliseconds{
               std::uniform_int_distribution<std::int64_t>{0, pause.count() / 2}(random)};
    return until_;
  }

  /// It may be tried now; but the next refusal makes for a longer pause all the same.
  void end() noexcept { until_ = {}; }

  void succeed() noexcept {
    refusals_ = 0;
    until_ = {};
  }

  /// Whether the last try was refused.
  [[nodiscard]] bool is_refused() const noexcept { return refusals_ != 0; }
  [[nodiscard]] bool is_over(clock::time_point now) const noexcept { return now >= until_; }

private:
  clock::time_point until_{};
  std::uint32_t refusals_ = 0;
};

} // namespace canang
