#pragma once

#include <atomic>
#include <cstdint>

namespace canang::actors {

/// How reading the configuration again went, as metrics tell it. Written by whoever reads it, read by scrapes.
struct reload_status {
  std::atomic<std::uint64_t> applied{0};
  std::atomic<std::uint64_t> refused{0};          ///< the old one stayed
  std::atomic<std::int64_t> last_good_seconds{0}; ///< Unix time; the first one is the start
};

} // namespace canang::actors
