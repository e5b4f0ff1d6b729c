#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace canang::net {

/// The bytes of base64url without padding (RFC 7515, 2); nothing where an encoder would not have written it so: other
/// characters, padding, white space, a length that cannot be, bits behind the last byte.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

/// Appends `bytes` in base64url without padding.
void append_base64url(std::string& out, std::string_view bytes);

} // namespace canang::net
