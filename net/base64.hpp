#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace canang::net {

/// The bytes of base64 with padding (RFC 4648, 4); nothing where an encoder would not have written it so.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

} // namespace canang::net
