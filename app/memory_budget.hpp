#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

namespace canang::app {

/// What bounds the process's memory, and how to see what it uses of it.
struct memory_budget {
  std::uint64_t limit_bytes =
    0; ///< of the tightest cgroup above the process; 0 when none has a limit
  /// Bytes in use: what the kernel holds against that limit without the page cache that it would give
  /// back, sockets' buffers included; without a limit the resident memory of the process.
  std::function<std::uint64_t()> used_bytes;
};

/// Looks for the limit in both versions of the cgroup file system. `root` is `/` but in tests.
[[nodiscard]] memory_budget find_memory_budget(const std::filesystem::path& root = "/");

/// The same without what the allocator keeps of memory that was freed: what it will use first, or give
/// back in a moment. `kept_bytes` tells how much that is.
[[nodiscard]] std::function<std::uint64_t()>
without_kept(std::function<std::uint64_t()> used_bytes, std::function<std::uint64_t()> kept_bytes);

/// What all histories may take where memory has this limit (0: none), in bytes.
[[nodiscard]] std::uint64_t history_budget_of(std::uint64_t limit_bytes) noexcept;

/// How many rooms may be known then.
[[nodiscard]] std::uint64_t max_rooms_of(std::uint64_t limit_bytes) noexcept;

/// The part of a limit up to which connections are taken: those that are there need some to grow.
inline constexpr double admitted_part = 0.8;

/// What may wait for and from all clients where memory has no limit: a thousand that do not read at a quarter
/// of the default limit of an outbox each.
inline constexpr std::uint64_t default_outbox_budget_bytes = 256ULL << 20U;

} // namespace canang::app
