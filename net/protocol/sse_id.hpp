#pragma once

#include "net/protocol/position_text.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::net {

/// The ids of events, which an EventSource sends back when it returns (`Last-Event-ID`).
///
/// Of a stream of one room: `EPOCH:OFFSET`. Of one of several: `ROOM=EPOCH:OFFSET,ROOM=...`, with the position in
/// each room of which the client was told one; names are percent-encoded but for letters, digits and `-._~`.

/// A position of ours takes so many bytes at most: an epoch of ten characters, a colon, 53 bits in decimal.
inline constexpr std::size_t own_position_bytes = 10 + 1 + 16;

/// A room's name as it stands in an id.
[[nodiscard]] std::string name_in_id(std::string_view room);

/// Reads the id of a stream of one room.
/// @returns nothing where it is none of ours.
[[nodiscard]] std::optional<resume_position> parse_room_id(std::string_view id);

/// Where a client was in its rooms.
using room_positions = std::vector<std::pair<std::string, resume_position>>;

/// Reads the id of a stream of several rooms, `most` at most.
/// @returns nothing where it is none; nothing of it is believed then.
[[nodiscard]] std::optional<room_positions> parse_room_ids(std::string_view id, std::size_t most);

} // namespace canang::net
