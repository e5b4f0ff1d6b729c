#include "app/import/import_options.hpp"

#include "app/import/imported_values.hpp"
#include "net/auth/secret.hpp"
#include "net/http/origin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::app {

namespace {

constexpr std::uint64_t one_gib = 1ULL << 30U;
constexpr std::uint64_t ten_years_ms = 315'360'000'000;

/// An option: which key has it in version 6 and which in version 5, and who writes it.
struct option_row {
  std::string_view option;
  std::string_view v6;
  std::string_view v5;
  void (*write)(const option_row&, imported_keys&, toml_writer&);
  std::uint64_t least = 0; // of a figure
  std::uint64_t most = 0;
};

/// What of a figure Canang takes; nothing where zero stands for the default.
std::optional<std::uint64_t> within(const option_row& row, const imported_key& key,
                                    std::int64_t figure, toml_writer& out) {
  if (figure < 0 || (figure == 0 && row.least > 0)) {
    out.note(fmt::format("{} is {}, which says nothing to Canang: {} has its default.", key.path,
                         figure == 0 ? "0" : "below 0", row.option));
    return std::nullopt;
  }
  const auto taken = std::clamp(static_cast<std::uint64_t>(figure), row.least, row.most);
  if (taken != static_cast<std::uint64_t>(figure))
    out.note(fmt::format("{} is {} than Canang takes: this is the nearest.", key.path,
                         taken < static_cast<std::uint64_t>(figure) ? "more" : "less"));
  return taken;
}

void write_number(const option_row& row, imported_keys& keys, toml_writer& out) {
  const auto* const key = keys.take({row.v6, row.v5});
  if (key == nullptr)
    return;
  const auto number = number_of(*key);
  if (!number)
    return note_wrong(*key, "a whole number", out);
  if (const auto taken = within(row, *key, *number, out))
    out.line(row.option, std::to_string(*taken), key->path);
}

void write_size(const option_row& row, imported_keys& keys, toml_writer& out) {
  const auto* const key = keys.take({row.v6, row.v5});
  if (key == nullptr)
    return;
  const auto number = number_of(*key);
  if (!number)
    return note_wrong(*key, "a whole number", out);
  if (const auto taken = within(row, *key, *number, out))
    out.line(row.option, toml_text(size_to_text(*taken)), key->path);
}

void write_duration(const option_row& row, imported_keys& keys, toml_writer& out) {
  const auto* const key = keys.take({row.v6, row.v5});
  if (key == nullptr)
    return;
  const auto duration = duration_of(*key);
  if (!duration)
    return note_wrong(*key, "a duration", out);
  if (const auto taken = within(row, *key, duration->count(), out))
    out.line(row.option,
             toml_text(to_text(std::chrono::milliseconds{static_cast<std::int64_t>(*taken)})),
             key->path);
}

/// Whether an origin is one of Canang's, and means the same: it has no commas, which are between several there.
bool is_origin(const std::string& text) {
  net::origin_rules rules;
  const auto is_separator = [](unsigned char c) { return c == ',' || std::isspace(c) != 0; };
  return is_writable(text) && text != "same-host"
         && std::none_of(text.begin(), text.end(), is_separator) && rules.add(text);
}

void write_origins(const option_row& row, imported_keys& keys, toml_writer& out) {
  const auto* const key = keys.take({row.v6, row.v5});
  const auto given = key != nullptr ? list_of(*key, ", ") : std::vector<std::string>{};
  if (!given)
    note_wrong(*key, "a list of texts", out);
  std::vector<std::string> origins;
  std::size_t others = 0;
  for (const auto& origin : given.value_or(std::vector<std::string>{})) {
    if (is_origin(origin))
      origins.push_back(origin);
    else
      ++others;
  }
  if (others > 0)
    out.note(fmt::format("{}: {} left out, as Canang has only *, null, https://HOST[:PORT] and "
                         "https://*.DOMAIN.",
                         key->path, others));
  if (origins.empty()) {
    out.note("No page of any site may connect, only clients that send no Origin. Name your sites.");
    origins.emplace_back("https://none.invalid"); // a name that nobody can have: RFC 6761, 6.4
  }
  out.list(row.option, origins, key != nullptr ? key->path : std::string_view{});
}

/// A key is a secret: the output may end in a log or a repository.
void write_api_key(const option_row& row, imported_keys& keys, toml_writer& out) {
  const auto* const key = keys.take({row.v6, row.v5});
  if (key == nullptr)
    return;
  const auto text = text_of(*key).value_or("");
  if (text.empty()) {
    out.note(fmt::format("{}: there is no key, so the server API is closed.", key->path));
    return;
  }
  const bool fits = net::is_key(text) && text.find(',') == std::string::npos;
  out.note(fmt::format("{} is a secret, and not shown: write {} into a file that only Canang can "
                       "read, and take the # from the next line.",
                       key->path,
                       fits ? "it" : "another (16 to 256 visible characters without a comma)"));
  out.note("api-key-file = \"/etc/canang/api.keys\"");
}

void write_name(const option_row& row, imported_keys& keys, toml_writer& out) {
  const auto* const key = keys.take({row.v6, row.v5});
  if (key == nullptr)
    return;
  const auto text = text_of(*key);
  if (!text || !is_writable(*text))
    return note_wrong(*key, "a name", out);
  out.line(row.option, toml_text(*text), key->path);
}

/// One time there, two here: what balancers need to notice comes off it.
void write_shutdown(const option_row& row, imported_keys& keys, toml_writer& out) {
  using namespace std::chrono_literals;
  const auto* const key = keys.take({row.v6, row.v5});
  if (key == nullptr)
    return;
  const auto timeout = duration_of(*key);
  if (!timeout || *timeout < 0ms)
    return note_wrong(*key, "a duration", out);
  const auto grace = *timeout > 5s ? std::chrono::milliseconds{5s} : 0ms;
  out.line("drain-grace", toml_text(to_text(grace)), key->path);
  out.line("drain-period", toml_text(to_text(*timeout - grace)), key->path);
}

void write_log_level(const option_row& row, imported_keys& keys, toml_writer& out) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> levels{
    {{"trace", "trace"},
     {"debug", "debug"},
     {"info", "info"},
     {"warn", "warn"},
     {"error", "error"},
     {"fatal", "error"},
     {"none", "off"}}};
  const auto* const key = keys.take({row.v6, row.v5});
  if (key == nullptr)
    return;
  auto text = text_of(*key).value_or("");
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto* const level =
    std::find_if(levels.begin(), levels.end(), [&](const auto& one) { return one.first == text; });
  if (level == levels.end())
    return note_wrong(*key, "a level", out);
  out.line(row.option, toml_text(level->second), key->path);
}

/// Centrifugo's name for the room of a user, whatever separates namespaces there: here it is always a colon. What
/// stands before the user is its `user_boundary`.
void write_personal_room(const option_row& row, imported_keys& keys, toml_writer& out) {
  const auto* const key = keys.take({row.v6, row.v5});
  if (key == nullptr)
    return;
  const auto is_on = flag_of(*key);
  if (!is_on)
    return note_wrong(*key, "a flag", out);
  if (!*is_on)
    return out.note(fmt::format("{} is off, as it is without {}.", key->path, row.option));
  auto from = key->path;
  const auto* const mark = keys.take({"channel.user_boundary", "channel_user_boundary"});
  constexpr std::size_t longest_mark = 32; // as in --user-boundary, which is # then, too
  std::string name = mark != nullptr ? text_of(*mark).value_or("#") : "#";
  if (name.size() > longest_mark || (!name.empty() && !is_writable(name)))
    name = std::string(1, '#');
  const auto* const space =
    keys.take({"client.subscribe_to_user_personal_channel.personal_channel_namespace",
               "user_personal_channel_namespace"});
  if (space != nullptr) {
    const auto named = text_of(*space);
    constexpr std::size_t longest = 90; // Canang's limit, but for what stands behind it
    if (!named || !is_writable(*named) || named->size() > longest)
      return out.note(fmt::format("{} is not the name of a namespace, so {} is not translated.",
                                  space->path, key->path));
    if (!named->empty())
      name = *named + ":" + name;
    from += ", " + space->path;
  }
  if (name.empty())
    return out.note(fmt::format("{}: without a user_boundary or a namespace there is no such room "
                                "here.",
                                key->path));
  out.line(row.option, toml_text(name), from);
}

void write_compression(const option_row& row, imported_keys& keys, toml_writer& out) {
  const auto* const key = keys.take({row.v6, row.v5});
  if (key == nullptr)
    return;
  const auto is_on = flag_of(*key);
  if (!is_on)
    return note_wrong(*key, "a flag", out);
  out.line(row.option, toml_text(*is_on ? "deflate" : "off"), key->path);
}

/// In the order of the table in docs/configuration.md.
constexpr std::array<option_row, 14> rows_before_redis{
  {{"listen", "", "",
    [](const option_row&, imported_keys& keys, toml_writer& out) { write_addresses(keys, out); }},
   {"allowed-origin", "client.allowed_origins", "allowed_origins", write_origins},
   {"api-key-file", "http_api.key", "api_key", write_api_key},
   {"workers", "", "gomaxprocs", write_number, 1, 256},
   {"ping-interval", "client.ping_interval", "ping_interval", write_duration, 100, ten_years_ms},
   {"pong-timeout", "client.pong_timeout", "pong_timeout", write_duration, 100, ten_years_ms},
   {"max-message-bytes", "websocket.message_size_limit", "websocket_message_size_limit", write_size,
    1, one_gib / 2},
   {"outbox-limit", "client.queue_max_size", "client_queue_max_size", write_size, 1024, one_gib},
   {"max-connections", "client.connection_limit", "client_connection_limit", write_number, 0,
    1'000'000'000},
   {"accept-rate", "client.connection_rate_limit", "client_connection_rate_limit", write_number, 0,
    1'000'000},
   {"max-rooms-per-connection", "client.channel_limit", "client_channel_limit", write_number, 1,
    100'000},
   {"compression", "websocket.compression", "websocket_compression", write_compression},
   {"compression-min-bytes", "websocket.compression_min_size", "websocket_compression_min_size",
    write_size, 1, one_gib},
   {"personal-room", "client.subscribe_to_user_personal_channel.enabled",
    "user_subscribe_to_personal", write_personal_room}}};

constexpr std::array<option_row, 3> rows_after_redis{
  {{"advertise", "node.name", "name", write_name},
   {"drain-period", "shutdown.timeout", "shutdown_timeout", write_shutdown},
   {"log-level", "log.level", "log_level", write_log_level}}};

void write_all(std::span<const option_row> rows, imported_keys& keys, toml_writer& out) {
  for (const auto& row : rows)
    row.write(row, keys, out);
}

} // namespace

void note_wrong(const imported_key& key, std::string_view expected, toml_writer& out) {
  out.note(fmt::format("{} is not {}: not translated.", key.path, expected));
}

void write_options_before_redis(imported_keys& keys, toml_writer& out) {
  write_all(rows_before_redis, keys, out);
}

void write_options_after_redis(imported_keys& keys, toml_writer& out) {
  write_all(rows_after_redis, keys, out);
}

} // namespace canang::app
