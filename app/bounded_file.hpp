#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace canang::app {

/// The content of a file; nothing where it cannot be read, or is longer than `most` bytes.
[[nodiscard]] std::optional<std::string> read_bounded_file(const std::string& path,
                                                           std::size_t most);

/// Line ends at the end of a text are its editor's.
void drop_line_ends(std::string& text) noexcept;

} // namespace canang::app
