#include "net/protocol/plain.hpp"

#include "net/http/target.hpp"

#include <charconv>

namespace canang::net {

namespace {

constexpr std::string_view prefix = "/ws";
constexpr std::string_view default_room = "lobby";

class plain final : public dialect {
public:
  void on_open(const connection_parameters& parameters, command_sink& sink) const override {
    sink.on_command(join_command{parameters.room, parameters.echo, parameters.history,
                                 parameters.since, parameters.user});
  }

  void decode(frame_type type, std::span<const char> message, command_sink& sink) const override {
    sink.on_command(publish_command{type, message});
  }

  void encode(const outgoing_publication& publication, std::string& frames) const override {
    if (publication.what == outgoing_publication::kind::message)
      append_frame(frames, publication.type, publication.data);
  }
};

std::optional<std::uint32_t> parse_count(std::string_view text) {
  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return count;
}

/// Longest epoch that is looked at; ours have ten characters.
constexpr std::size_t max_epoch_size = 32;

std::optional<resume_position> parse_since(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon > max_epoch_size)
    return std::nullopt;
  resume_position since{std::string{text.substr(0, colon)}, 0};
  const auto digits = text.substr(colon + 1);
  const auto [end, error] =
    std::from_chars(digits.data(), digits.data() + digits.size(), since.offset);
  if (error != std::errc{} || end != digits.data() + digits.size() || since.offset >> 53U != 0)
    return std::nullopt;
  return since;
}

} // namespace

const dialect& plain_dialect() noexcept {
  static const plain instance;
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
    const auto count = parse_count(*history);
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
    parameters.since = parse_since(*since);
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
