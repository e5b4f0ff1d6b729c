#include "net/protocol/plain.hpp"

#include "base/parse_number.hpp"
#include "net/http/target.hpp"
#include "net/protocol/plain_words.hpp"
#include "net/protocol/position_text.hpp"

namespace canang::net {

namespace {

constexpr std::string_view prefix = "/ws";
constexpr std::string_view default_room = "lobby";

class plain final : public protocol {
public:
  conversation_ptr converse() const override { return plain_conversation(); }

  void encode(const outgoing_publication& publication, const framing& frames,
              std::string& out) const override {
    if (publication.what == outgoing_publication::kind::message)
      frames.append(out, publication.type, publication.data);
  }
};

/// Remembers nothing: all clients have the same.
class bare_messages final : public plain_words {};

} // namespace

void plain_words::on_open(const connection_parameters& parameters, command_sink& sink) {
  sink.on_command(identify_command{{.user = parameters.user,
                                    .token = parameters.token,
                                    .is_of_field = parameters.is_token_of_field,
                                    .room = parameters.room}});
  sink.on_command(join_command{.room = parameters.room,
                               .echo = parameters.echo,
                               .history = parameters.history,
                               .since = parameters.since});
}

void plain_words::decode(frame_type type, std::span<const char> message, command_sink& sink) {
  sink.on_command(publish_command{.type = type, .data = message});
}

conversation_ptr plain_conversation() noexcept {
  static bare_messages instance;
  return conversation_ptr{&instance};
}

const wire_format& plain_format() noexcept {
  static const plain language;
  static const wire_format instance{language, websocket_framing()};
  return instance;
}

std::variant<connection_parameters, std::string> parse_plain_target(std::string_view path,
                                                                    std::string_view query) {
  connection_parameters parameters;
  if (path == prefix) {
    parameters.room = default_room;
  } else {
    auto room = percent_decode(path.substr(prefix.size() + 1));
    if (!room || !is_room_name(*room))
      return std::string{room_name_rule};
    parameters.room = std::move(*room);
  }
  if (const auto echo = query_value(query, "echo")) {
    if (*echo != "true" && *echo != "false")
      return std::string{"echo is true or false"};
    parameters.echo = *echo == "true";
  }
  if (const auto history = query_value(query, "history")) {
    const auto count = parse_number<std::uint32_t>(*history);
    if (!count)
      return std::string{"history is a number of publications"};
    parameters.history = *count;
  }
  if (const auto meta = query_value(query, "meta")) {
    if (*meta != "true" && *meta != "false")
      return std::string{"meta is true or false"};
    parameters.meta = *meta == "true";
  }
  if (const auto since = query_value(query, "since")) {
    parameters.since = parse_position(*since);
    if (!parameters.since)
      return std::string{"since is EPOCH:OFFSET, as the last publication had them"};
    parameters.meta = true;
  }
  if (auto user = query_value(query, "user")) {
    if (!is_user_name(*user))
      return std::string{"user is 1 to 255 bytes of UTF-8 without control characters"};
    parameters.user = std::move(*user);
  }
  return parameters;
}

} // namespace canang::net
