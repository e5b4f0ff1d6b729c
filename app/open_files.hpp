#pragma once

#include <cstdint>

namespace canang::app {

/// Raises the limit of open files to the hard limit, as nothing here uses `select`.
/// @returns the limit that holds now.
std::uint64_t raise_open_files_limit();

/// How many connections fit into a limit of open files: all but some for what else needs one, such as
/// listeners, links to Redis, and clients that are refused.
[[nodiscard]] std::uint64_t connections_of_open_files(std::uint64_t limit) noexcept;

} // namespace canang::app
