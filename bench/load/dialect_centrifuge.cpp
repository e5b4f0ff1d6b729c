#include "bench/load/dialects.hpp"

namespace canang::load {

namespace {

// The commands need no numbers of their own: answers are told apart by what they contain.
constexpr std::string_view connect_command = R"({"id":1,"connect":{}})";
constexpr std::string_view push_head = R"({"push":{)";
constexpr std::string_view channel_head = R"("channel":")";
constexpr std::string_view data_head = R"(,"pub":{"data":")";
constexpr std::string_view unsubscribe_head = R"(,"unsubscribe":{)";

class centrifuge_dialect final : public dialect {
public:
  std::string_view name() const override { return "centrifuge"; }
  bool is_transparent() const override { return false; }
  bool may_join_none() const override { return true; }

  std::string handshake_target(std::string_view path, std::string_view query,
                               std::string_view) const override {
    return centrifuge_target(path, query);
  }

  std::string_view subprotocol() const override { return {}; }

  std::string opening(std::string_view room) const override {
    if (room.empty())
      return std::string{connect_command};
    return std::string{connect_command} + "\n" + R"({"id":2,"subscribe":{"channel":")"
           + std::string{room} + R"("}})";
  }

  void encode_publish(std::string_view room, std::string_view payload,
                      std::string& out) const override {
    out.assign(R"({"id":3,"publish":{"channel":")").append(room);
    out.append(R"(","data":")").append(payload).append(R"("}})");
  }

  /// A message has one or more replies or pushes, one a line.
  bool decode(std::string_view message, std::string_view room,
              dialect_events& events) const override {
    while (!message.empty()) {
      const auto end = message.find('\n');
      const auto line = message.substr(0, end);
      if (!line.empty() && !decode_line(line, room, events))
        return false;
      message.remove_prefix(end == std::string_view::npos ? message.size() : end + 1);
    }
    return true;
  }

private:
  static bool decode_line(std::string_view line, std::string_view room, dialect_events& events) {
    if (take_prefix(line, push_head))
      return decode_push(line, room, events);
    if (line == "{}") {
      events.on_reply("{}"); // a ping; so is its answer
    } else if (line.find(R"("error":{)") != std::string_view::npos) {
      events.on_refused(beginning(line));
    } else if (!line.starts_with(R"({"id":)")) {
      return false;
    } else if (line.find(room.empty() ? R"("connect":{)" : R"("subscribe":{)")
               != std::string_view::npos) {
      events.on_joined();
    }
    return true;
  }

  static bool decode_push(std::string_view line, std::string_view room, dialect_events& events) {
    if (line.starts_with(R"("disconnect":)")) {
      events.on_refused(beginning(line));
      return true;
    }
    if (!take_prefix(line, channel_head) || !take_prefix(line, room) || !take_prefix(line, "\""))
      return false; // of a channel that this connection has not subscribed to
    if (line.starts_with(unsubscribe_head)) {
      events.on_refused(beginning(line));
      return true;
    }
    if (!take_prefix(line, data_head))
      return true; // a join, a leave, ...
    const auto end = line.find('"');
    if (end == std::string_view::npos)
      return false;
    events.on_publication(line.substr(0, end));
    return true;
  }
};

} // namespace

std::unique_ptr<dialect> make_centrifuge_dialect() {
  return std::make_unique<centrifuge_dialect>();
}

} // namespace canang::load
