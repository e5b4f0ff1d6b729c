#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace canang::app {

/// Raises the limit of open files to the hard limit, as nothing here uses `select`.
/// @returns the limit that holds now.
std::uint64_t raise_open_files_limit();

/// What needs descriptors of its own, whatever clients do.
struct file_users {
  std::uint32_t workers = 1;
  std::size_t shards = 0; ///< of Redis
};

/// Descriptors that are never a client's: those of the loops, of the links to Redis also while they are
/// rebuilt, of the internal port, of files and logs.
[[nodiscard]] std::uint64_t reserved_files(const file_users& users) noexcept;

/// The lowest limit of open files with which a node is of use.
[[nodiscard]] std::uint64_t least_files(const file_users& users) noexcept;

/// Stands for as many connections as there is room for.
inline constexpr std::uint64_t all_connections = std::numeric_limits<std::uint64_t>::max();

/// How the descriptors of clients are shared out. Both sorts together never need more than there are.
struct file_shares {
  std::uint64_t connections = 0; ///< WebSocket connections, at most as many as were wanted
  std::size_t http_connections_a_loop = 0; ///< those that are none, or not yet
};

/// Shares out what a `limit` of open files, at least `least_files`, leaves for clients.
[[nodiscard]] file_shares share_files(std::uint64_t limit, const file_users& users,
                                      std::uint64_t wanted_connections) noexcept;

} // namespace canang::app
