#include "bench/load/dialects.hpp"

namespace canang::load {

namespace {

// Types of Engine.IO packets, and of Socket.IO packets inside its messages (the second digit).
constexpr char engine_open = '0';
constexpr char engine_ping = '2';
constexpr char engine_noop = '6';
constexpr std::string_view connected = "40";
constexpr std::string_view event = "42";
constexpr std::string_view event_head = "42[\"m\",\"";
constexpr std::string_view event_tail = "\"]";

class socketio_dialect final : public dialect {
public:
  std::string_view name() const override { return "socketio"; }
  bool is_transparent() const override { return false; }

  std::string handshake_target(std::string_view path, std::string_view query,
                               std::string_view) const override {
    std::string target{path == "/" ? "/socket.io" : path};
    if (!target.ends_with('/'))
      target += '/';
    target += "?EIO=4&transport=websocket";
    if (!query.empty())
      target.append("&").append(query);
    return target;
  }

  std::string_view subprotocol() const override { return {}; }

  std::string opening(std::string_view room) const override {
    return "40{\"room\":\"" + std::string{room} + "\"}";
  }

  void encode_publish(std::string_view, std::string_view payload, std::string& out) const override {
    out.assign(event_head).append(payload).append(event_tail);
  }

  bool decode(std::string_view message, std::string_view, dialect_events& events) const override {
    if (message.starts_with(event))
      return decode_event(message, events);
    if (message.starts_with(connected)) {
      events.on_joined();
    } else if (message.size() == 1 && message[0] == engine_ping) {
      events.on_reply("3");
    } else if (message.empty() || (message[0] != engine_open && message[0] != engine_noop)) {
      events.on_refused(beginning(message)); // 41: disconnected, 44: connect error, 1: closed
    }
    return true;
  }

private:
  static bool decode_event(std::string_view message, dialect_events& events) {
    if (!take_prefix(message, event_head) || !message.ends_with(event_tail))
      return false;
    message.remove_suffix(event_tail.size());
    events.on_publication(message);
    return true;
  }
};

} // namespace

std::unique_ptr<dialect> make_socketio_dialect() { return std::make_unique<socketio_dialect>(); }

} // namespace canang::load
