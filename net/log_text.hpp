#pragma once

#include <string>
#include <string_view>

namespace canang::net {

/// Text of strangers in logs: room names, request targets, errors of other servers. Whatever would end a
/// field or a line, or show as something that it is not, is written as its number: controls, line
/// separators, marks of direction, characters without a width, and bytes that are not UTF-8.

/// In quotes, for a field of a line; `"` and `\` are escaped too.
[[nodiscard]] std::string log_field(std::string_view text);

/// For a whole line of text, whose own quotes stay as they are.
[[nodiscard]] std::string log_line(std::string_view text);

/// For the inside of a JSON string (RFC 8259, 7), which gives back all but bytes that are not UTF-8.
[[nodiscard]] std::string log_json(std::string_view text);

} // namespace canang::net
