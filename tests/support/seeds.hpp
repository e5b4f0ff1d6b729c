#pragma once

#include <cstdint>
#include <functional>
#include <random>

namespace canang::sim {

/// Runs `test` with the seeds 1 to `count` and stops at the first that fails, whose number the
/// failure shows. The environment's CANANG_SEED runs that one only, CANANG_SEEDS another number.
void for_each_seed(std::uint64_t count, const std::function<void(std::uint64_t seed)>& test);

/// Whether one seed only was asked for: what holds over many need not hold for it.
[[nodiscard]] bool is_one_seed();

/// The chance of a simulation: everything that may go one way or the other asks it.
class chance {
public:
  explicit chance(std::uint64_t seed) : engine_(seed) {}

  /// A number from `least` to `most`. Written out, as the standard's distributions differ between
  /// libraries and a seed must mean the same everywhere.
  std::size_t between(std::size_t least, std::size_t most) {
    return least + static_cast<std::size_t>(engine_() % (most - least + 1));
  }

  bool one_in(std::size_t n) { return between(1, n) == 1; }

private:
  std::mt19937_64 engine_;
};

} // namespace canang::sim
