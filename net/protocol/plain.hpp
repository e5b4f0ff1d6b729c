#pragma once

#include "net/dialect.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace canang::net {

/// The plain dialect: no SDK, no envelope. A connection is a member of the one room that its URL
/// names, and every message is a publication, handed on byte for byte with its frame type.
[[nodiscard]] const dialect& plain_dialect() noexcept;

/// The same with `meta=true`: each publication is a JSON text that says its position, so that a client
/// can resume with `since` where it was, and hears of losses. What the client sends is still a bare
/// message.
[[nodiscard]] const dialect& plain_meta_dialect() noexcept;

/// Reads `/ws` and `/ws/{room}` with `echo`, `history`, `meta`, `since` and `user`.
/// @returns the parameters, or a line of text that says what is wrong.
[[nodiscard]] std::variant<connection_parameters, std::string>
parse_plain_target(std::string_view path, std::string_view query);

} // namespace canang::net
