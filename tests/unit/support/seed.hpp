#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

namespace canang::test {

/// The seed of a test with random input: printed, and taken back from the environment variable
/// CANANG_SEED to repeat a run.
inline std::uint32_t random_seed() {
  const char* const given = std::getenv("CANANG_SEED");
  const auto seed = given != nullptr ? static_cast<std::uint32_t>(std::stoul(given))
                                     : static_cast<std::uint32_t>(std::random_device{}());
  std::cout << "CANANG_SEED=" << seed << '\n';
  return seed;
}

/// Random choices of a test.
class dice {
public:
  explicit dice(std::uint32_t seed) : engine_(seed) {}

  /// A number from `least` to `most`, both possible.
  template <class Number>
  Number roll(Number least, Number most) {
    return static_cast<Number>(std::uniform_int_distribution<std::int64_t>{
      static_cast<std::int64_t>(least), static_cast<std::int64_t>(most)}(engine_));
  }

  /// True once in `n` times.
  bool one_in(int n) { return roll(1, n) == 1; }

  /// Random bytes.
  std::string bytes(std::size_t size) {
    std::string result(size, '\0');
    for (auto& byte : result)
      byte = static_cast<char>(roll(0, 255));
    return result;
  }

private:
  std::mt19937 engine_;
};

} // namespace canang::test
