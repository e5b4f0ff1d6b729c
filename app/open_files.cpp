#include "app/open_files.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <limits>

namespace canang::app {

std::uint64_t raise_open_files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return std::numeric_limits<
      std::uint64_t>::max(); // not even to be asked: a matter of the sandbox
  if (limit.rlim_cur < limit.rlim_max) {
    const rlimit raised{limit.rlim_max, limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0)
      limit = raised;
  }
  return limit.rlim_cur == RLIM_INFINITY ? std::numeric_limits<std::uint64_t>::max()
                                         : limit.rlim_cur;
}

std::uint64_t connections_of_open_files(std::uint64_t limit) noexcept {
  constexpr std::uint64_t reserve = 64;
  const auto kept = std::max(reserve, limit / 50);
  return limit > 2 * kept ? limit - kept : std::max<std::uint64_t>(limit / 2, 1);
}

} // namespace canang::app
