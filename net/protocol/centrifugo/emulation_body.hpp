#pragma once

#include "net/emulation.hpp"

#include <optional>
#include <string_view>

/// The body of a request to `/emulation` (client.proto of Centrifugo's protocol: `EmulationRequest`): which session of
/// which node, and what the client says there.

namespace canang::net::centrifugo {

/// `{"node":"...","session":"...","data":"..."}`, where the data is a text that has commands in JSON.
/// @returns nothing where it is not that.
[[nodiscard]] std::optional<emulation_request> read_json_emulation(std::string_view body);

/// The same in Protobuf, with commands in Protobuf as the data.
[[nodiscard]] std::optional<emulation_request> read_protobuf_emulation(std::string_view body);

} // namespace canang::net::centrifugo
