#pragma once

#include <string_view>

namespace canang::net {

/// Whether a text may be a key that opens the internal port: 16 to 256 visible characters of ASCII.
[[nodiscard]] bool is_key(std::string_view text) noexcept;

/// Compares in a time that depends on the lengths alone, and so tells nothing of where they differ.
[[nodiscard]] bool is_same_secret(std::string_view given, std::string_view wanted) noexcept;

} // namespace canang::net
