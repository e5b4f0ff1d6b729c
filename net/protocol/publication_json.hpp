#pragma once

#include "net/protocol/protocol.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace canang::net {

/// A publication as the fields of a JSON object, for clients that are told where it stands.

/// Appends `"epoch":"q3k8zn5tca","offset":7`.
void append_place_fields(std::string& out, std::string_view epoch, std::uint64_t offset);

/// Appends the place, where it has one, and what was said: `"data"` with a text, `"data64"` with bytes in base64, or
/// `"joined"` and `"left"` with a member. Without braces.
void append_publication_fields(std::string& out, const outgoing_publication& publication);

} // namespace canang::net
