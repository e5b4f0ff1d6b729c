#pragma once

#include "net/auth/token_key.hpp"

#include <string_view>

namespace canang::net {

// Public keys from the numbers that JWKs have, big-endian. Null where they make no key, such as a point that is
// not on its curve.

[[nodiscard]] shared_pkey rsa_key(std::string_view modulus, std::string_view exponent);

/// @param kind `p256` or `p384`.
[[nodiscard]] shared_pkey ec_key(key_kind kind, std::string_view x, std::string_view y);

[[nodiscard]] shared_pkey ed25519_key(std::string_view x);

} // namespace canang::net
