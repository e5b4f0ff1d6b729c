#pragma once

#include "bench/load/dialect.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace canang::load {

/// Socket.IO 4: Engine.IO protocol 4 and Socket.IO protocol 5, WebSocket only. The room goes to the
/// server as {"room": NAME} when connecting; a message is the event "m" with one string.
std::unique_ptr<dialect> make_socketio_dialect();

/// The bidirectional protocol of Centrifugo (version 2) in JSON: connect, subscribe to the room's
/// channel, publish JSON strings to it.
std::unique_ptr<dialect> make_centrifuge_dialect();

/// The same in Protobuf; what is published are bytes.
std::unique_ptr<dialect> make_centrifuge_protobuf_dialect();

/// Where Centrifugo's protocol is served, unless the URL has a path of its own.
inline std::string centrifuge_target(std::string_view path, std::string_view query) {
  std::string target{path == "/" ? "/connection/websocket" : path};
  if (!query.empty())
    target.append("?").append(query);
  return target;
}

/// The start of `text` up to `most` characters: what a server said, for an error message.
inline std::string beginning(std::string_view text, std::size_t most = 100) {
  return std::string{text.substr(0, most)};
}

/// Takes `prefix` off the front of `text`; false when it does not start with it.
inline bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix))
    return false;
  text.remove_prefix(prefix.size());
  return true;
}

} // namespace canang::load
