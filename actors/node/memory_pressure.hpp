#pragma once

#include <chrono>
#include <cstdint>

namespace canang::actors {

/// How much of what a node keeps for those who may come back has to go, because memory is over its limit.
/// No clock, no thread of its own; of whoever reads how much memory is used.
class memory_pressure {
public:
  using clock = std::chrono::steady_clock;

  /// Time between two orders.
  static constexpr std::chrono::seconds interval{1};

  /// 0: no limit.
  explicit memory_pressure(std::uint64_t limit_bytes) noexcept : limit_bytes_(limit_bytes) {}

  /// To be asked whenever memory has been read. `let_go` is how many bytes have been let go in all: those
  /// of the last interval may show in what is used only later, as the allocator keeps them for a while.
  /// @returns bytes that are to go now. They bring memory below the limit by a sixteenth, so that there is
  /// room for newcomers.
  [[nodiscard]] std::uint64_t to_shed(std::uint64_t used_bytes, std::uint64_t let_go,
                                      clock::time_point now) noexcept;

private:
  std::uint64_t limit_bytes_;
  std::uint64_t let_go_before_ = 0;
  clock::time_point next_{};
};

} // namespace canang::actors
