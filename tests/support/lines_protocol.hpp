#pragma once

#include "net/protocol/protocol.hpp"

#include <string_view>

namespace canang::sim {

/// A protocol with many rooms a connection, of lines of words. A message of a client is one or more lines:
///
///     hello NAME [TOKEN]                first, and once
///     refresh REQUEST TOKEN [ROOM]
///     join REQUEST ROOM [HISTORY TOKEN] HISTORY: how much of it, or EPOCH:OFFSET to resume from
///     leave REQUEST ROOM
///     publish REQUEST ROOM TEXT         REQUEST 0: without an answer
///     fail                              throws: a fault of ours
///
/// What the server says is one message each:
///
///     welcome
///     joined REQUEST ROOM EPOCH OFFSET yes|no [OFFSET TEXT]...
///     refreshed REQUEST
///     left REQUEST ROOM
///     stored REQUEST OFFSET
///     failed REQUEST FAULT ROOM
///     message ROOM OFFSET TEXT
///     broken ROOM EPOCH OFFSET yes|no
///     ended ROOM CODE TEXT
///
/// @returns the format with what was recovered in messages, or inside of the answer.
[[nodiscard]] const net::wire_format&
lines_format(net::recovered_in place = net::recovered_in::messages) noexcept;

/// The same of clients that have no word for a loss (`broken`): they count on missing nothing, and are told to come
/// back.
[[nodiscard]] const net::wire_format& lines_format_of_returners() noexcept;

/// As it stands in `failed`.
[[nodiscard]] std::string_view name_of(net::command_fault fault) noexcept;

} // namespace canang::sim
