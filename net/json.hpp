#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace canang::net {

/// Appends `text`, which is UTF-8, as a JSON string with its quotes (RFC 8259, 7).
void append_json_string(std::string& out, std::string_view text);

/// How many bytes that would be.
[[nodiscard]] std::size_t json_string_size(std::string_view text) noexcept;

/// `text`, which is UTF-8, as a JSON string with its quotes.
[[nodiscard]] std::string json_string(std::string_view text);

/// Appends an object whose fields are strings, UTF-8 all of them.
void append_json_strings(std::string& out,
                         std::span<const std::pair<std::string, std::string>> fields);

/// Appends what tokens say of a member as further fields of an object, each where there is any: `,"info":{}` and
/// `,"room_info":{}`. Both are JSON.
void append_info_fields(std::string& out, std::string_view info, std::string_view room_info);

/// Appends `bytes` in base64 with padding (RFC 4648, 4).
void append_base64(std::string& out, std::string_view bytes);

} // namespace canang::net
