#pragma once

#include "net/limits.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace canang::net {

/// Events as EventSource reads them (WHATWG HTML, 9.2.5, the format of event streams).

/// Ends the event whose fields were appended.
inline constexpr std::string_view end_of_event = "\n";

/// A comment between two events. The empty line behind it is for readers that look for blocks.
inline constexpr std::string_view comment_event = ":\n\n";

/// Appends `NAME: VALUE`. The value is one line.
void append_field(std::string& out, std::string_view name, std::string_view value);

/// Appends `text` as data lines, one for each line of it: those end with CR, LF or CRLF, and the client puts them
/// together with LF.
void append_data(std::string& out, std::string_view text);

/// Appends how long the client is to wait before it comes back.
void append_retry(std::string& out, std::chrono::milliseconds pause);

/// At random, so that a crowd does not come back at once.
[[nodiscard]] std::chrono::milliseconds random_pause(const time_range& between);

/// The last event of a stream: what a close frame says to a WebSocket, and how long to wait.
void append_close_event(std::string& out, std::uint16_t code, std::string_view text,
                        std::chrono::milliseconds pause);

} // namespace canang::net
