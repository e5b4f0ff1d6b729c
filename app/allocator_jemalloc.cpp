// How the allocator is to work. Part of the program and of no library, which would leave it out.

#include "app/allocator.hpp"

#include <jemalloc/jemalloc.h>

#include <cstddef>

/// jemalloc reads this before anything is allocated. What a crowd took is given back within two seconds
/// or so, by a thread of jemalloc's own, so that no loop waits for it.
extern "C" {
extern const char* malloc_conf; // NOLINT(readability-identifier-naming): jemalloc's name
const char* malloc_conf = "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0";
}

namespace canang::app {

namespace {

std::uint64_t read_figure(const char* name) {
  std::size_t bytes = 0;
  std::size_t size = sizeof bytes;
  return ::mallctl(name, &bytes, &size, nullptr, 0) == 0 ? bytes : 0;
}

} // namespace

/// The pages that jemalloc has less those in use and its own: dirty ones, which it has not given back yet.
std::uint64_t bytes_kept_by_allocator() {
  std::uint64_t epoch = 1;
  if (::mallctl("epoch", nullptr, nullptr, &epoch, sizeof epoch) != 0) // the figures are of now
    return 0;
  const auto resident = read_figure("stats.resident");
  const auto used = read_figure("stats.active") + read_figure("stats.metadata");
  return resident > used ? resident - used : 0;
}

} // namespace canang::app
