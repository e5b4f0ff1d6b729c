#pragma once

#include "net/dialect.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace canang::net {

/// The plain protocol over EventSource (docs/protocol.md): what is published in one room, its text as the data
/// of events whose id is `EPOCH:OFFSET`.
/// `resumes`: for a client that comes back, and is told where it is not taken on from there.
[[nodiscard]] const dialect& sse_dialect(bool resumes) noexcept;

/// The same for several rooms: each event's data is JSON that says of which room it is, its id
/// `ROOM=EPOCH:OFFSET`. That is not the id that a client gets: see `room_ids_layer`.
[[nodiscard]] const dialect& sse_rooms_dialect(bool resumes) noexcept;

/// What a client asks for. Views are valid during the call.
struct sse_question {
  std::optional<std::string_view>
    room{}; ///< as it stands in the path; none: those of the query, or the lobby
  std::string_view query{};
  std::string_view last_event_id{}; ///< as the field of the request has it
  std::size_t max_rooms = 1;        ///< that one connection may be in
  std::size_t max_id_bytes = 0;     ///< longest id that may come back
};

/// What is to become of it.
struct sse_opening {
  connection_parameters parameters;
  bool is_of_rooms = false; ///< `sse_rooms_dialect`
  bool is_return = false; ///< the client was here before, and its EventSource comes back by itself
};

/// Reads `room`, `history`, `since`, `lastEventId` and `user`.
/// @returns a line of text where something is wrong.
[[nodiscard]] std::variant<sse_opening, std::string> read_sse_question(const sse_question& asked);

} // namespace canang::net
