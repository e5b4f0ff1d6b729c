#pragma once

#include <simdjson.h>

#include <optional>
#include <string_view>

namespace canang::net {

/// Parses an object of a token: no deeper than those may be, and no member twice (RFC 7515, 4, and RFC 7519, 4).
/// @returns nothing where it is none; else valid until the next call on this thread.
[[nodiscard]] std::optional<simdjson::dom::object> parse_token_object(std::string_view json);

} // namespace canang::net
