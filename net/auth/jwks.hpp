#pragma once

#include "net/auth/token_key.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace canang::net {

/// What a JWK Set (RFC 7517, 5) has for us.
struct jwk_set {
  std::vector<token_key> keys;
  std::size_t skipped = 0; ///< of other kinds, for other uses, or malformed
};

/// Reads a JWK Set: RSA, EC of P-256 and P-384 (RFC 7518, 6), OKP of Ed25519 (RFC 8037, 2), oct. Where a key has a
/// private half too, that is not read.
/// @returns a line that says what is wrong where the text is none, too long, or has no key that can be used.
[[nodiscard]] std::variant<jwk_set, std::string> parse_jwks(std::string_view text);

} // namespace canang::net
