#pragma once

#include "net/protocol/protocol.hpp"
#include "net/stream/emulated_stream.hpp"
#include "net/websocket/session_words.hpp"

namespace canang::net {

/// Centrifugo's client protocol (https://centrifugal.dev/docs/transports/client_protocol), in its
/// two formats: what its SDKs speak. A connection is in as many rooms as it likes.
[[nodiscard]] const wire_format& centrifugo_json_format() noexcept;
[[nodiscard]] const wire_format& centrifugo_protobuf_format() noexcept;

/// Its pings, and the codes with which it ends connections.
[[nodiscard]] const session_words& centrifugo_json_session() noexcept;
[[nodiscard]] const session_words& centrifugo_protobuf_session() noexcept;

/// One of its fallback transports: a response without end, of which the client's commands come in requests of their
/// own.
struct centrifugo_stream {
  const wire_format& format;
  const emulated_stream_words& words;
};

[[nodiscard]] const centrifugo_stream& centrifugo_json_lines() noexcept;      ///< HTTP streaming
[[nodiscard]] const centrifugo_stream& centrifugo_protobuf_stream() noexcept; ///< the same
[[nodiscard]] const centrifugo_stream& centrifugo_json_events() noexcept;     ///< SSE

} // namespace canang::net
