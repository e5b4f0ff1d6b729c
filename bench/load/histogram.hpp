#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace canang::load {

/// A log-linear histogram of durations in nanoseconds, three significant digits.
///
/// The idea and the bucket layout are those of HdrHistogram (Gil Tene): 2,048 linear steps of 1 ns,
/// then 1,024 steps for each further doubling, so that a value is never off by more than 0.1 %.
/// Values above `highest_ns` are counted as `highest_ns`. One owner, one thread; merge() brings the
/// histograms of several threads together.
class histogram {
public:
  /// About 137 s: longer than anybody waits for a message.
  static constexpr std::uint64_t highest_ns = (std::uint64_t{1} << 37) - 1;

  histogram();

  /// Adds `count` values of `value_ns`. Constant time, no allocation.
  void record(std::uint64_t value_ns, std::uint64_t count = 1) noexcept {
    if (value_ns > highest_ns)
      value_ns = highest_ns;
    counts_[index_of(value_ns)] += count;
  }

  void merge(const histogram& other) noexcept;
  void clear() noexcept;

  std::uint64_t count() const noexcept;
  /// The value at or below which `percent` (0 to 100) of the values lie; 0 when empty.
  std::uint64_t percentile_ns(double percent) const noexcept;
  std::uint64_t max_ns() const noexcept { return percentile_ns(100.0); }
  std::uint64_t min_ns() const noexcept;
  double mean_ns() const noexcept;

private:
  static constexpr unsigned half_bits = 10; // 1,024 steps a doubling
  static constexpr std::uint64_t half = std::uint64_t{1} << half_bits;

  static std::size_t index_of(std::uint64_t value) noexcept {
    // Values below 2,048 keep all their bits; above, the 11 leading bits.
    const auto width = static_cast<unsigned>(64 - __builtin_clzll(value | 1));
    const unsigned shift = width > half_bits + 1 ? width - (half_bits + 1) : 0;
    return static_cast<std::size_t>((std::uint64_t{shift} << half_bits) + (value >> shift));
  }
  /// The largest value that falls into the bucket.
  static std::uint64_t upper_of(std::size_t index) noexcept;

  std::vector<std::uint64_t> counts_;
};

} // namespace canang::load
