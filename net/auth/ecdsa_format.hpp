#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace canang::net {

/// OpenSSL writes ECDSA signatures in DER, JOSE as both numbers side by side (RFC 7518, 3.4). Empty where the one
/// cannot be turned into the other.
[[nodiscard]] std::string der_of_raw(std::string_view raw);

/// @param size of the raw signature in bytes.
[[nodiscard]] std::string raw_of_der(std::string_view der, std::size_t size);

} // namespace canang::net
