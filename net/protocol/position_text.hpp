#pragma once

#include "net/protocol/commands.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace canang::net {

/// Positions as clients of the plain protocol write them: `EPOCH:OFFSET`.

/// Appends one.
void append_position(std::string& out, std::string_view epoch, std::uint64_t offset);

/// Reads one: an epoch of at most 32 bytes, and an offset below 2^53.
[[nodiscard]] std::optional<resume_position> parse_position(std::string_view text);

} // namespace canang::net
