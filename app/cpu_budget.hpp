#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace canang::app {

/// Cores that this process may use: what its affinity mask and its cgroup's CPU limit allow, at
/// least 1. A limit of 1.5 cores counts as 1: a second loop would only be throttled.
[[nodiscard]] std::uint32_t cpu_budget();

/// Whole cores in a cgroup v2 `cpu.max` ("150000 100000" is 1), or nothing when there is no limit.
[[nodiscard]] std::optional<std::uint32_t> cores_of_cpu_max(std::string_view content);

} // namespace canang::app
