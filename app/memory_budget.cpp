#include "app/memory_budget.hpp"

#include "net/metrics_text.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace canang::app {

namespace {

namespace fs = std::filesystem;

/// What one version of the file system calls things.
struct layout {
  fs::path mount;
  const char* limit;
  const char* usage;
  const char* cache; // a line of memory.stat
};

std::optional<std::uint64_t> read_number(const fs::path& path) {
  std::ifstream file{path};
  std::uint64_t value = 0;
  if (!(file >> value)) // absent, or "max"
    return std::nullopt;
  return value;
}

std::uint64_t read_stat(const fs::path& path, std::string_view wanted) {
  std::ifstream file{path};
  std::string name;
  std::uint64_t value = 0;
  while (file >> name >> value)
    if (name == wanted)
      return value;
  return 0;
}

/// The process's group in the hierarchy whose line starts with one of these, as `/proc` tells it: what
/// comes behind "0::" in version 2, behind "N:memory:" in version 1.
fs::path own_group(const fs::path& root, std::string_view controller) {
  std::ifstream file{root / "proc/self/cgroup"};
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos)
      continue;
    if (line.substr(first + 1, second - first - 1) == controller)
      return fs::path{line.substr(second + 1)}.relative_path();
  }
  return {};
}

struct found_limit {
  std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max();
  fs::path group;
};

/// A group's own limit and those of the groups above it all hold. In a container the path that /proc
/// tells may not be there; the mount's top is its group then.
void find_tightest(const layout& of, fs::path group, found_limit& tightest) {
  for (;; group = group.parent_path()) {
    const auto folder = of.mount / group;
    // version 1 says "no limit" by a number near 2^63
    const auto limit = read_number(folder / of.limit);
    if (limit && *limit < (1ULL << 62U) && *limit < tightest.bytes)
      tightest = {*limit, folder};
    if (group.empty())
      return;
  }
}

std::uint64_t group_bytes(const layout& of, const fs::path& group) {
  const auto all = read_number(group / of.usage).value_or(0);
  const auto cache = read_stat(group / "memory.stat", of.cache);
  return all > cache ? all - cache : 0;
}

} // namespace

memory_budget find_memory_budget(const fs::path& root) {
  const std::pair<layout, std::string_view> versions[] = {
    {{root / "sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"}, ""},
    {{root / "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
      "total_inactive_file"},
     "memory"}};
  for (const auto& [of, controller] : versions) {
    found_limit tightest;
    find_tightest(of, own_group(root, controller), tightest);
    if (!tightest.group.empty())
      return {tightest.bytes, [of = of, group = tightest.group] { return group_bytes(of, group); }};
  }
  return {
    0, [statm = (root / "proc/self/statm").string()] { return net::read_resident_bytes(statm); }};
}

std::function<std::uint64_t()> without_kept(std::function<std::uint64_t()> used_bytes,
                                            std::function<std::uint64_t()> kept_bytes) {
  return [used_bytes = std::move(used_bytes), kept_bytes = std::move(kept_bytes)] {
    const auto used = used_bytes(); // first: what is given back in between counts as used
    const auto kept = kept_bytes();
    return used > kept ? used - kept : 0;
  };
}

std::uint64_t history_budget_of(std::uint64_t limit_bytes) noexcept {
  constexpr std::uint64_t without_limit = 256UL * 1024 * 1024;
  return limit_bytes == 0 ? without_limit : std::max<std::uint64_t>(limit_bytes / 4, 1);
}

std::uint64_t max_rooms_of(std::uint64_t limit_bytes) noexcept {
  constexpr std::uint64_t without_limit = 1'000'000;
  constexpr std::uint64_t least = 1000;
  constexpr std::uint64_t room_bytes = 4096; // with its presence, in a cluster, under a long name
  return limit_bytes == 0 ? without_limit : std::max(limit_bytes / 4 / room_bytes, least);
}

} // namespace canang::app
