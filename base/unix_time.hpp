#pragma once

#include <chrono>
#include <cstdint>

namespace canang {

/// The time of day in milliseconds of Unix time. It may be set back.
[[nodiscard]] inline std::int64_t unix_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

/// Likewise in seconds.
[[nodiscard]] inline std::int64_t unix_s() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

} // namespace canang
