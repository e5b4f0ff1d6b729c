#include "bench/load/dialect.hpp"

#include "bench/load/dialects.hpp"

namespace canang::load {

namespace {

/// Any WebSocket server that sends each message to every client of the room in the path.
class plain_dialect final : public dialect {
public:
  std::string_view name() const override { return "plain"; }
  bool is_transparent() const override { return true; }

  std::string handshake_target(std::string_view path, std::string_view query,
                               std::string_view room) const override {
    std::string target{path};
    if (!room.empty()) {
      if (!target.ends_with('/'))
        target += '/';
      target += room;
    }
    if (!query.empty())
      target.append("?").append(query);
    return target;
  }

  std::string_view subprotocol() const override { return {}; }
  std::string opening(std::string_view) const override { return {}; }

  void encode_publish(std::string_view, std::string_view payload, std::string& out) const override {
    out.assign(payload);
  }

  bool decode(std::string_view message, std::string_view, dialect_events& events) const override {
    events.on_publication(message);
    return true;
  }
};

} // namespace

std::unique_ptr<dialect> make_dialect(std::string_view name) {
  if (name == "plain")
    return std::make_unique<plain_dialect>();
  if (name == "socketio")
    return make_socketio_dialect();
  if (name == "centrifuge")
    return make_centrifuge_dialect();
  if (name == "centrifuge-protobuf")
    return make_centrifuge_protobuf_dialect();
  return nullptr;
}

std::string_view dialect_names() { return "plain, socketio, centrifuge, centrifuge-protobuf"; }

} // namespace canang::load
