#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

namespace canang::fuzz {

/// Stops the fuzzer where something does not hold that has to.
inline void require(bool holds, const char* what) {
  if (holds)
    return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// What the fuzzer came up with: first bytes that steer the test, then those that it is fed.
class input {
public:
  input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  /// The next steering byte; 0 when there is none left.
  std::uint8_t byte() {
    if (rest_.empty())
      return 0;
    const auto value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
  }

  /// Takes up to `size` bytes.
  std::span<const std::uint8_t> take(std::size_t size) {
    const auto taken = rest_.first(size < rest_.size() ? size : rest_.size());
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

  /// All that is left, up to `limit`: more would only be slower.
  std::span<const std::uint8_t> all(std::size_t limit) { return take(limit); }

private:
  std::span<const std::uint8_t> rest_;
};

inline std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace canang::fuzz
