#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace canang {

/// Decides when the reason of a trouble that goes on is worth a line in the log: at each change of it,
/// and then once a minute with the number of times that nothing was said. Writes nothing itself.
class reason_log {
public:
  using clock = std::chrono::steady_clock;

  /// A reason that stays is said again after this.
  static constexpr std::chrono::seconds repeat_after{60};

  /// Changes that are said in that time: two reasons that take turns must not fill the log.
  static constexpr unsigned most_changes = 6;

  /// The trouble has shown itself once more.
  /// @returns nothing when there is nothing to say, else how often nothing was said since the last time.
  [[nodiscard]] std::optional<std::uint64_t> note(std::string_view reason, clock::time_point now);

  /// The trouble is over: whatever comes next is new.
  void clear() noexcept { *this = {}; }

private:
  std::string current_;
  std::uint64_t unsaid_ = 0;
  unsigned changes_ = 0; // that were said since `counted_from_`
  clock::time_point counted_from_{};
  clock::time_point said_at_{};
};

} // namespace canang
