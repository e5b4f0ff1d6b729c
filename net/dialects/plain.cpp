#include "net/dialects/plain.hpp"

#include "net/target.hpp"

#include <charconv>

namespace canang::net {

namespace {

constexpr std::string_view prefix = "/ws";
constexpr std::string_view default_room = "lobby";

class plain final : public dialect {
public:
  void on_open(const connection_parameters& parameters, command_sink& sink) const override {
    sink.on_command(join_command{parameters.room, parameters.echo, parameters.history});
  }

  void decode(frame_type type, std::span<const char> message, command_sink& sink) const override {
    sink.on_command(publish_command{type, message});
  }

  void encode(const outgoing_publication& publication, std::string& frames) const override {
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

} // namespace

const dialect& plain_dialect() noexcept {
  static const plain instance;
  return instance;
}

bool is_plain_path(std::string_view path) noexcept {
  return path == prefix
         || (path.starts_with(prefix) && path.size() > prefix.size() && path[prefix.size()] == '/');
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
  return parameters;
}

} // namespace canang::net
