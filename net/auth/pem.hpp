#pragma once

#include "net/auth/token_key.hpp"

#include <string_view>
#include <vector>

namespace canang::net {

/// The public keys of a text in PEM (`BEGIN PUBLIC KEY`), in order; none where one of its blocks is something else,
/// or where there are more than may count.
[[nodiscard]] std::vector<shared_pkey> public_keys_of_pem(std::string_view text);

/// The first private key of a text in PEM, without a password; null where there is none.
[[nodiscard]] shared_pkey private_key_of_pem(std::string_view text);

} // namespace canang::net
