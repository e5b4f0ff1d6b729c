#pragma once

#include <string>
#include <string_view>

namespace canang::net {

/// Appends `text`, which is UTF-8, as a JSON string with its quotes (RFC 8259, 7).
void append_json_string(std::string& out, std::string_view text);

/// `text`, which is UTF-8, as a JSON string with its quotes.
[[nodiscard]] std::string json_string(std::string_view text);

/// Appends `bytes` in base64 with padding (RFC 4648, 4).
void append_base64(std::string& out, std::string_view bytes);

} // namespace canang::net
