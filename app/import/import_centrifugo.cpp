#include "app/import/import_centrifugo.hpp"

#include "app/import/import_options.hpp"
#include "app/import/import_reasons.hpp"
#include "app/import/import_rooms.hpp"
#include "app/import/import_tokens.hpp"
#include "app/import/imported_keys.hpp"
#include "app/import/imported_values.hpp"
#include "app/import/toml_writer.hpp"
#include "app/toml_document.hpp"
#include "net/http/target.hpp"
#include "net/limits.hpp"
#include "net/log_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

namespace canang::app {

namespace {

constexpr std::string_view v6_rooms = "channel.without_namespace.";

std::string_view why_not(const imported_key& key) {
  if (key.is_spare)
    return "given twice, or under two names: the first one counts";
  if (key.what == imported_key::kind::nothing)
    return "null, which says nothing";
  return why_not_translated(key.name);
}

/// All keys that nobody has taken, by the reason, in the order of the input.
/// @param is_left_out whether the namespace is, of which they are
void write_rest(const imported_keys& keys, bool is_left_out, toml_writer& out) {
  std::vector<std::pair<std::string_view, std::string>> groups;
  for (const auto& key : keys.all()) {
    if (key.is_told)
      continue;
    const auto why = is_left_out ? std::string_view{"the namespace is left out"} : why_not(key);
    const auto group = std::find_if(groups.begin(), groups.end(),
                                    [why](const auto& one) { return one.first == why; });
    if (group == groups.end())
      groups.emplace_back(why, key.path);
    else
      group->second.append(", ").append(key.path);
  }
  for (const auto& [why, paths] : groups)
    out.note(fmt::format("Not translated ({}): {}.", why, paths));
}

void write_head(toml_writer& out) {
  out.note("What a configuration of Centrifugo means to Canang. Behind each line stand the keys "
           "that it is "
           "from; lines without one are Centrifugo's defaults. Read the comments first.");
  out.note(
    "Not limited there, and at their defaults here: history-bytes, publish-rate and the other "
    "rates, budgets. See docs/configuration.md.");
  out.blank();
}

void write_names(imported_keys& keys, toml_writer& out) {
  const auto* const boundary =
    keys.take({"channel.namespace_boundary", "channel_namespace_boundary"});
  if (boundary != nullptr)
    out.note(
      boundary->text == ":"
        ? fmt::format("{}: it is : here, too.", boundary->path)
        : fmt::format("{}: it is : here. Rooms that are to be in a namespace need other names.",
                      boundary->path));
  out.note(
    "A room whose name begins with private-prefix is in the namespace with that in its name, "
    "[namespaces.\"$NAME\"], or in none: these settings count, and a token is needed.");
  out.note("Rooms of a namespace that is not below have these settings; Centrifugo refuses them.");
}

/// The name of a namespace, where Canang can have it.
std::optional<std::string> name_of(imported_keys& keys, std::set<std::string>& names,
                                   toml_writer& out) {
  const auto* const key = keys.take({"name"});
  const auto name = key != nullptr ? text_of(*key).value_or("") : std::string{};
  const bool fits = is_writable(name) && net::is_user_name(name)
                    && name.size() < net::max_room_name_bytes
                    && name.find(':') == std::string::npos;
  if (fits && names.insert(name).second)
    return name;
  out.blank();
  out.note(
    fmt::format("A namespace is left out, and its rooms have the settings of [rooms]: its name {}.",
                fits ? fmt::format("{} is there twice", toml_text(name))
                     : "is missing, or none that Canang takes"));
  return std::nullopt;
}

/// @returns false where the file gets too long.
bool write_namespaces(std::vector<imported_keys>& namespaces, bool anonymous, toml_writer& out) {
  std::set<std::string> names;
  for (auto& keys : namespaces) {
    const auto name = name_of(keys, names, out);
    if (name) {
      out.table("namespaces.", *name);
      write_room_settings(keys, {}, anonymous, out);
    }
    write_rest(keys, !name, out);
    if (out.text().size() > max_toml_bytes)
      return false;
  }
  return true;
}

std::optional<std::string> write_file(imported_configuration& from) {
  toml_writer out;
  write_head(out);
  write_options_before_redis(from.root, out);
  write_redis_options(from.root, out);
  write_options_after_redis(from.root, out);
  const bool anonymous = write_token_options(from.root, out);
  write_name_options(from.root, out);
  out.table("", "rooms");
  write_names(from.root, out);
  write_room_settings(from.root, v6_rooms, anonymous, out);
  if (!write_namespaces(from.namespaces, anonymous, out))
    return std::nullopt;
  out.blank();
  write_rest(from.root, false, out);
  return out.text().size() <= max_toml_bytes ? std::optional{out.text()} : std::nullopt;
}

std::string lower_end(std::string_view path) {
  std::string end{path.substr(std::min(path.rfind('.'), path.size()))};
  std::transform(end.begin(), end.end(), end.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return end;
}

/// @returns the content, or sets `fault`.
std::string read_file(const std::string& path, std::string& fault) {
  static constexpr std::array<std::string_view, 3> others{".yaml", ".yml", ".toml"};
  if (std::find(others.begin(), others.end(), lower_end(path)) != others.end()) {
    fault = "only configurations in JSON are imported";
    return {};
  }
  std::ifstream file{path, std::ios::binary};
  const int error = errno;
  if (!file.is_open()) {
    fault = fmt::format("it cannot be read: {}", std::strerror(error));
    return {};
  }
  std::string text(max_imported_bytes + 1, '\0'); // one more than is read: then it is refused
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad())
    fault = "it cannot be read: it is no file";
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

} // namespace

centrifugo_import import_centrifugo(std::string_view json) {
  auto read = read_imported(json);
  if (auto* const fault = std::get_if<std::string>(&read))
    return {.fault = std::move(*fault)};
  auto toml = write_file(std::get<imported_configuration>(read));
  if (!toml)
    return {.fault = fmt::format("what it means here is longer than a configuration file may be "
                                 "({} bytes)",
                                 max_toml_bytes)};
  return {.toml = std::move(*toml)};
}

int print_centrifugo_import(const std::string& path) {
  centrifugo_import made;
  const auto text = read_file(path, made.fault);
  if (made.fault.empty())
    made = import_centrifugo(text);
  if (!made.fault.empty()) {
    std::cerr << "canang: " << net::log_line(path) << ": " << made.fault << '\n';
    return 1;
  }
  std::cout << made.toml << std::flush;
  if (!std::cout) {
    std::cerr << "canang: the configuration cannot be written\n";
    return 1;
  }
  return 0;
}

} // namespace canang::app
