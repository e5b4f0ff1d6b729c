#pragma once

#include "net/hooks/hook_link.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::net {

/// The header fields by which a program knows that a request is ours and new: `X-Canang-Timestamp`, Unix time in seconds,
/// and `X-Canang-Signature`, `v1=` and HMAC-SHA256 in hexadecimal digits, with the secret as the key, of the timestamp, a
/// full stop, and the body.
/// @param at Unix time in seconds
[[nodiscard]] std::vector<std::pair<std::string, std::string>>
sign_hook_request(std::string_view secret, std::int64_t at, std::string_view body);

/// A request with that body, signed as of now; with an empty secret it is not signed.
[[nodiscard]] hook_message signed_hook_message(std::string_view secret, const std::string& body);

} // namespace canang::net
