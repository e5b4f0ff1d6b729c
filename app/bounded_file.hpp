#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace canang::app {

/// The content of a file; nothing where it cannot be read, or is longer than `most` bytes.
[[nodiscard]] std::optional<std::string> read_bounded_file(const std::string& path,
                                                           std::size_t most);

} // namespace canang::app
