#pragma once

#include "net/auth/token_algorithm.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace canang::net {

/// What a token's header says; nothing of it is proved.
struct token_header {
  token_algorithm algorithm;
  std::string key_id; ///< empty: none
};

/// The three parts of a token in its compact form, as they stand.
struct token_parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_text; ///< what the signature is of: header and payload with the dot
};

/// @returns nothing where there are not three, one is empty, or the token is too long.
[[nodiscard]] std::optional<token_parts> split_token(std::string_view token) noexcept;

/// Reads a header in base64url.
/// @returns nothing where it is malformed, has `crit`, or names an algorithm that is not taken, such as `none`.
[[nodiscard]] std::optional<token_header> parse_header(std::string_view encoded);

} // namespace canang::net
