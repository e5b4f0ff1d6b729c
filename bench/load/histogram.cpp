#include "bench/load/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace canang::load {

histogram::histogram() : counts_(index_of(highest_ns) + 1, 0) {}

void histogram::merge(const histogram& other) noexcept {
  for (std::size_t i = 0; i < counts_.size(); ++i)
    counts_[i] += other.counts_[i];
}

void histogram::clear() noexcept { std::fill(counts_.begin(), counts_.end(), 0); }

std::uint64_t histogram::count() const noexcept {
  std::uint64_t sum = 0;
  for (auto c : counts_)
    sum += c;
  return sum;
}

std::uint64_t histogram::upper_of(std::size_t index) noexcept {
  if (index < 2 * half)
    return index;
  const auto shift = static_cast<unsigned>(index >> half_bits) - 1;
  const std::uint64_t step = index - (std::uint64_t{shift} << half_bits);
  return ((step + 1) << shift) - 1;
}

std::uint64_t histogram::percentile_ns(double percent) const noexcept {
  const auto total = count();
  if (total == 0)
    return 0;
  const auto share = std::clamp(percent, 0.0, 100.0) / 100.0 * static_cast<double>(total);
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share - 1e-9)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank)
      return upper_of(i);
  }
  return highest_ns;
}

std::uint64_t histogram::min_ns() const noexcept { return percentile_ns(0.0); }

double histogram::mean_ns() const noexcept {
  double sum = 0;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    sum += static_cast<double>(counts_[i]) * static_cast<double>(upper_of(i));
    total += counts_[i];
  }
  return total == 0 ? 0.0 : sum / static_cast<double>(total);
}

} // namespace canang::load
