#pragma once

#include "net/protocol/protocol.hpp"
#include "net/websocket/session_words.hpp"

namespace canang::net {

/// Centrifugo's client protocol over WebSocket (https://centrifugal.dev/docs/transports/client_protocol), in its
/// two formats: what its SDKs speak. A connection is in as many rooms as it likes.
[[nodiscard]] const wire_format& centrifugo_json_format() noexcept;
[[nodiscard]] const wire_format& centrifugo_protobuf_format() noexcept;

/// Its pings, and the codes with which it ends connections.
[[nodiscard]] const session_words& centrifugo_json_session() noexcept;
[[nodiscard]] const session_words& centrifugo_protobuf_session() noexcept;

} // namespace canang::net
