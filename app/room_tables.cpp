#include "app/room_tables.hpp"

#include "app/units.hpp"
#include "net/http/target.hpp"
#include "net/limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace canang::app {

namespace {

using cluster::room_settings;

/// Ends reading; caught in `read_room_tables`.
struct bad_table {
  text_fault fault;
};

constexpr std::array<std::pair<std::string_view, who_may>, 5> kinds_of_client{
  {{"anyone", who_may::anyone},
   {"users", who_may::users},
   {"members", who_may::members},
   {"token", who_may::token},
   {"nobody", who_may::nobody}}};

/// One key of a table.
struct said_key {
  const std::string& table; // its name, for faults
  const toml_entry& entry;
  std::size_t max_message_bytes;

  [[noreturn]] void refuse(const std::string& why) const {
    throw bad_table{{entry.value.at, fmt::format("{}.{}: {}", table, entry.key, why)}};
  }

  /// `parse` gives a number or nothing.
  template <class Parse>
  auto figure(Parse parse, std::uint64_t least, std::uint64_t most, std::string_view what) const {
    const auto value = entry.value.is_scalar() ? parse(entry.value.text) : std::nullopt;
    if (!value || *value < least || *value > most)
      refuse(fmt::format("{} is not {} from {} to {}", shown(), what, least, most));
    return static_cast<std::size_t>(*value);
  }

  [[nodiscard]] std::chrono::milliseconds duration() const {
    const auto value = entry.value.is_scalar() ? parse_duration(entry.value.text) : std::nullopt;
    if (!value || *value < least_history_ttl)
      refuse(fmt::format("{} is not a duration such as 25s or 500ms of at least {} ms", shown(),
                         least_history_ttl.count()));
    return *value;
  }

  [[nodiscard]] bool truth() const {
    if (entry.value.what != toml_value::kind::boolean)
      refuse(fmt::format("{} is neither true nor false", shown()));
    return entry.value.text == "true";
  }

  [[nodiscard]] bool is_text(std::string_view text) const {
    return entry.value.what == toml_value::kind::text && entry.value.text == text;
  }

  [[nodiscard]] who_may clients() const {
    const auto* const found =
      std::find_if(kinds_of_client.begin(), kinds_of_client.end(),
                   [this](const auto& kind) { return kind.first == entry.value.text; });
    if (entry.value.what != toml_value::kind::text || found == kinds_of_client.end())
      refuse(fmt::format("{} is not one of anyone, users, members, token, nobody", shown()));
    return found->second;
  }

  [[nodiscard]] std::string shown() const {
    if (entry.value.is_scalar())
      return fmt::format("'{}'", entry.value.text);
    return "this value";
  }
};

void take_history_size(const said_key& key, room_settings& into) {
  into.history_size = key.figure(parse_count, 0, max_history_size, "a number");
}

void take_history_bytes(const said_key& key, room_settings& into) {
  into.history_bytes = key.figure(parse_size, 0, max_history_bytes, "a size such as 64KiB,");
}

void take_history_ttl(const said_key& key, room_settings& into) {
  into.history_ttl = key.duration();
}

void take_max_message_bytes(const said_key& key, room_settings& into) {
  const auto bytes = key.entry.value.is_scalar() ? parse_size(key.entry.value.text) : std::nullopt;
  if (bytes && *bytes > key.max_message_bytes)
    key.refuse(fmt::format("{} is more than max-message-bytes of the server ({} bytes)",
                           key.shown(), key.max_message_bytes));
  into.max_message_bytes =
    key.figure(parse_size, 1, key.max_message_bytes, "a size such as 64KiB,");
}

void take_presence(const said_key& key, room_settings& into) {
  into.presence = key.truth();
  into.presence_is_said = true;
}

void take_join_leave(const said_key& key, room_settings& into) {
  into.join_leave = key.truth();
  into.join_leave_is_said = true;
}

void take_subscribe(const said_key& key, room_settings& into) {
  into.subscribe = key.clients();
  if (into.subscribe == who_may::members)
    key.refuse("nobody is a member before subscribing: anyone, users, token or nobody");
}

void take_publish(const said_key& key, room_settings& into) { into.publish = key.clients(); }

void take_see_presence(const said_key& key, room_settings& into) {
  into.see_presence = key.clients();
}

void take_see_history(const said_key& key, room_settings& into) {
  into.see_history = key.clients();
}

void take_user_rooms(const said_key& key, room_settings& into) { into.user_rooms = key.truth(); }

void take_hook_subscribe(const said_key& key, room_settings& into) {
  into.hook_subscribe = key.truth();
}

void take_hook_publish(const said_key& key, room_settings& into) {
  into.hook_publish = key.truth();
}

void take_hook_sub_refresh(const said_key& key, room_settings& into) {
  into.hook_sub_refresh = key.truth();
}

void take_hook_rooms(const said_key& key, room_settings& into) { into.hook_rooms = key.truth(); }

void take_force_positioning(const said_key& key, room_settings& into) {
  into.force_positioning = key.truth();
}

void take_force_recovery(const said_key& key, room_settings& into) {
  into.force_recovery = key.truth();
}

void take_recovery_mode(const said_key& key, room_settings& into) {
  const bool is_cache = key.is_text("cache");
  if (!is_cache && !key.is_text("stream"))
    key.refuse(fmt::format("{} is neither \"stream\" nor \"cache\"", key.shown()));
  into.recovery = is_cache ? cluster::recovery_mode::cache : cluster::recovery_mode::stream;
}

void take_auto_recovery(const said_key& key, room_settings& into) {
  into.auto_recovery = key.truth();
}

void take_delta(const said_key& key, room_settings& into) {
  const bool is_fossil = key.is_text("fossil");
  if (!is_fossil && !key.is_text("none"))
    key.refuse(fmt::format("{} is neither \"none\" nor \"fossil\"", key.shown()));
  into.delta = is_fossil ? cluster::delta_type::fossil : cluster::delta_type::none;
}

void take_slow_consumers(const said_key& key, room_settings& into) {
  const auto policy = key.entry.value.what == toml_value::kind::text
                        ? parse_slow_consumers(key.entry.value.text)
                        : std::nullopt;
  if (!policy)
    key.refuse(fmt::format("{} is not {}", key.shown(), slow_consumers_words));
  into.slow = *policy;
}

void take_compression(const said_key& key, room_settings& into) {
  const auto compresses = key.entry.value.what == toml_value::kind::text
                            ? parse_compression(key.entry.value.text)
                            : std::nullopt;
  if (!compresses)
    key.refuse(fmt::format("{} is not {}", key.shown(), compression_words));
  into.compresses = *compresses;
}

void take_compression_min_bytes(const said_key& key, room_settings& into) {
  into.compression_min_bytes =
    key.figure(parse_size, 1, max_compression_min_bytes, "a size such as 1KiB,");
}

void take_slow_mode(const said_key& key, room_settings& into) {
  const auto value =
    key.entry.value.is_scalar() ? parse_duration(key.entry.value.text) : std::nullopt;
  if (!value || *value > max_slow_mode)
    key.refuse(fmt::format("{} is not a duration such as 5s or 500ms up to 24h", key.shown()));
  into.slow_mode = *value;
}

void take_members_max(const said_key& key, room_settings& into) {
  into.members_max = key.figure(parse_count, 0, max_members_max, "a number");
}

/// A new setting of rooms has its place here, and in `room_settings`.
constexpr std::array<std::pair<std::string_view, void (*)(const said_key&, room_settings&)>, 25>
  room_keys{{{"history-size", take_history_size},
             {"history-bytes", take_history_bytes},
             {"history-ttl", take_history_ttl},
             {"max-message-bytes", take_max_message_bytes},
             {"presence", take_presence},
             {"join-leave", take_join_leave},
             {"allow-subscribe", take_subscribe},
             {"allow-publish", take_publish},
             {"allow-presence", take_see_presence},
             {"allow-history", take_see_history},
             {"user-rooms", take_user_rooms},
             {"hook-subscribe", take_hook_subscribe},
             {"hook-publish", take_hook_publish},
             {"hook-sub-refresh", take_hook_sub_refresh},
             {"hook-rooms", take_hook_rooms},
             {"force-positioning", take_force_positioning},
             {"force-recovery", take_force_recovery},
             {"recovery-mode", take_recovery_mode},
             {"auto-recovery", take_auto_recovery},
             {"delta", take_delta},
             {"slow-consumers", take_slow_consumers},
             {"compression", take_compression},
             {"compression-min-bytes", take_compression_min_bytes},
             {"slow-mode", take_slow_mode},
             {"members-max", take_members_max}}};

/// What a room is sent unasked has to be recoverable, and the newest alone.
void check_recovery(const std::string& name, text_place at, const room_settings& settings) {
  if (settings.auto_recovery
      && (!settings.force_recovery || settings.recovery != cluster::recovery_mode::cache))
    throw bad_table{{at, fmt::format("{}: auto-recovery needs force-recovery = true and "
                                     "recovery-mode = \"cache\"",
                                     name)}};
}

void read_table(const std::string& name, const toml_entry& table, std::size_t max_message_bytes,
                room_settings& into) {
  if (table.value.what != toml_value::kind::table)
    throw bad_table{{table.at, fmt::format("{} is a table: [{}]", name, name)}};
  for (const auto& entry : table.value.entries) {
    const auto* const known =
      std::find_if(room_keys.begin(), room_keys.end(),
                   [&entry](const auto& key) { return key.first == entry.key; });
    if (known == room_keys.end())
      throw bad_table{{entry.at, fmt::format("there is no setting '{}' in [{}]", entry.key, name)}};
    known->second({name, entry, max_message_bytes}, into);
  }
  check_recovery(name, table.at, into);
}

void check_name(const toml_entry& space) {
  if (space.key.find(':') != std::string::npos)
    throw bad_table{{space.at, fmt::format("the namespace '{}' has a colon in its name, which is "
                                           "where the name of a room's namespace ends",
                                           space.key)}};
  if (!net::is_user_name(space.key) || space.key.size() >= net::max_room_name_bytes)
    throw bad_table{{space.at, fmt::format("the name of a namespace has 1 to {} bytes, and no "
                                           "control characters",
                                           net::max_room_name_bytes - 1)}};
}

void read_namespaces(const toml_entry& spaces, std::size_t max_message_bytes,
                     cluster::room_settings_table& into) {
  if (spaces.value.what != toml_value::kind::table)
    throw bad_table{{spaces.at, "namespaces are tables: [namespaces.NAME]"}};
  for (const auto& space : spaces.value.entries) {
    check_name(space);
    auto& settings = into.namespaces.emplace(space.key, into.rooms).first->second;
    read_table("namespaces." + space.key, space, max_message_bytes, settings);
  }
}

const toml_entry* find(const toml_value& document, std::string_view key) {
  const auto found = std::find_if(document.entries.begin(), document.entries.end(),
                                  [key](const toml_entry& entry) { return entry.key == key; });
  return found == document.entries.end() ? nullptr : &*found;
}

} // namespace

std::optional<cluster::slow_consumers> parse_slow_consumers(std::string_view text) noexcept {
  if (text == "disconnect")
    return cluster::slow_consumers::disconnect;
  if (text == "drop-oldest")
    return cluster::slow_consumers::drop_oldest;
  if (text == "latest")
    return cluster::slow_consumers::latest;
  return std::nullopt;
}

std::optional<bool> parse_compression(std::string_view text) noexcept {
  if (text == "off")
    return false;
  if (text == "deflate")
    return true;
  return std::nullopt;
}

bool is_room_table(std::string_view key) noexcept { return key == "rooms" || key == "namespaces"; }

std::optional<text_fault> read_room_tables(const toml_value& document,
                                           std::size_t max_message_bytes,
                                           cluster::room_settings_table& table) {
  try {
    if (const auto* const rooms = find(document, "rooms"))
      read_table("rooms", *rooms, max_message_bytes, table.rooms);
    if (const auto* const spaces = find(document, "namespaces"))
      read_namespaces(*spaces, max_message_bytes, table);
  } catch (bad_table& bad) {
    return std::move(bad.fault);
  }
  return std::nullopt;
}

} // namespace canang::app
