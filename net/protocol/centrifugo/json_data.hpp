#pragma once

#include "net/frame.hpp"
#include "net/protocol/commands.hpp"

#include <string>
#include <string_view>

namespace canang::net::centrifugo {

/// Appends a payload as one JSON value without line ends, which part messages of the protocol: text that is JSON
/// as it is, other text as a string, a binary payload as a string of base64.
void append_json_data(std::string& out, frame_type type, std::string_view data);

/// A member as publications tell of it, read from its JSON; views are valid as long as that, and until the next call on
/// the thread.
[[nodiscard]] member_view read_member(std::string_view json);

} // namespace canang::net::centrifugo
