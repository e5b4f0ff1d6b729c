#include "app/cpu_budget.hpp"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <string>

namespace canang::app {

namespace {

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file{path};
  if (!file)
    return std::nullopt;
  return std::string{std::istreambuf_iterator<char>{file}, {}};
}

/// The limit of cgroup v1 as v2 writes it.
std::optional<std::string> cpu_max_of_v1() {
  const auto quota = read_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  const auto period = read_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  if (!quota || !period)
    return std::nullopt;
  return *quota + ' ' + *period;
}

std::uint32_t cores_of_affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0)
    return 1;
  return static_cast<std::uint32_t>(std::max(CPU_COUNT(&set), 1));
}

} // namespace

std::optional<std::uint32_t> cores_of_cpu_max(std::string_view content) {
  const auto skip_space = [&] {
    while (!content.empty() && (content.front() == ' ' || content.front() == '\n'))
      content.remove_prefix(1);
  };
  const auto number = [&]() -> std::optional<std::int64_t> {
    skip_space();
    std::int64_t value = 0;
    const auto [end, error] =
      std::from_chars(content.data(), content.data() + content.size(), value);
    if (error != std::errc{})
      return std::nullopt;
    content.remove_prefix(static_cast<std::size_t>(end - content.data()));
    return value;
  };
  const auto quota = number();
  const auto period = number();
  if (!quota || !period || *quota <= 0 || *period <= 0) // "max", or -1 in v1
    return std::nullopt;
  return static_cast<std::uint32_t>(std::max<std::int64_t>(*quota / *period, 1));
}

std::uint32_t cpu_budget() {
  auto cores = cores_of_affinity();
  auto content = read_file("/sys/fs/cgroup/cpu.max");
  if (!content)
    content = cpu_max_of_v1();
  if (content)
    if (const auto limit = cores_of_cpu_max(*content))
      cores = std::min(cores, *limit);
  return cores;
}

} // namespace canang::app
