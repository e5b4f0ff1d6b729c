#pragma once

#include "net/auth/token_claims.hpp"

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Readers of what tokens and the operator's program say of a client, in the same words. Each returns false where the
/// value is none of what it may be. Private to those who read them.

namespace canang::net {

[[nodiscard]] bool read_text(const simdjson::dom::element& value, std::string& into);

/// The name of a user; may be empty.
[[nodiscard]] bool read_user(const simdjson::dom::element& value, std::string& into);

/// An array of rooms' names: each is added once, `max_token_rooms` at most.
[[nodiscard]] bool read_rooms(const simdjson::dom::element& value, std::vector<std::string>& into);

/// An object with rooms' names: of what it says of each room nothing is taken but its name.
[[nodiscard]] bool read_subscriptions(const simdjson::dom::element& value,
                                      std::vector<std::string>& into);

/// `caps`, `max_token_grants` at most.
[[nodiscard]] bool read_grants(const simdjson::dom::element& value, std::vector<token_grant>& into);

/// JSON without white space, and nothing for `null`; none where it is no JSON, or longer than `max_info_bytes`.
[[nodiscard]] std::optional<std::string> short_json(std::string_view json);

/// Such JSON in base64 with padding (RFC 4648, 4); an empty text says nothing.
[[nodiscard]] bool read_base64_info(std::string_view text, std::string& into);

} // namespace canang::net
