// The file of `--config`: TOML, and the tables of rooms in it.

#include "app/room_tables.hpp"
#include "app/toml_document.hpp"
#include "net/http/target.hpp"
#include "net/utf8.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <algorithm>

namespace {

using namespace canang::app;
using canang::cluster::room_settings;
using canang::fuzz::require;

constexpr std::size_t largest_message = 64 * 1024;

void look_at(const text_fault& fault, std::string_view text) {
  require(!fault.what.empty(), "a refusal says why");
  require(fault.at.line >= 1 && fault.at.column >= 1, "and where, from 1 on");
  const auto lines = std::count(text.begin(), text.end(), '\n') + 1;
  require(fault.at.line <= static_cast<std::size_t>(lines), "within the text");
}

/// A text that nothing but a value has is in no refusal.
void look_for_password(std::string_view text) {
  static constexpr std::string_view secret = "q7q8q9";
  if (text.find('q') != std::string_view::npos)
    return;
  for (const auto* const before :
       {"redis = ", "redis = '", "redis = [ 'x', ", "a.redis = { b = "}) {
    const auto read = read_toml(std::string{before}.append(secret).append(text));
    if (const auto* const fault = std::get_if<text_fault>(&read))
      require(fault->what.find(secret) == std::string::npos, "a refusal shows no value");
  }
}

void look_at(const toml_value& value, unsigned depth) {
  using kind = toml_value::kind;
  require(depth <= 4, "values are no deeper than settings go");
  require(value.items.empty() || value.what == kind::list || value.what == kind::unusable,
          "items are a list's");
  require(value.entries.empty() || value.what == kind::table, "entries are a table's");
  require(canang::net::is_utf8(value.text), "text is UTF-8");
  require(std::is_sorted(value.entries.begin(), value.entries.end(),
                         [](const auto& a, const auto& b) { return a.at < b.at; }),
          "entries are in the order of the text");
  for (const auto& entry : value.entries)
    look_at(entry.value, depth + 1);
}

void look_at(const room_settings& settings) {
  require(settings.history_size <= max_history_size, "history-size");
  require(settings.history_bytes <= max_history_bytes, "history-bytes");
  require(settings.history_ttl >= least_history_ttl, "history-ttl");
  require(settings.max_message_bytes >= 1 && settings.max_message_bytes <= largest_message,
          "max-message-bytes");
  require(settings.subscribe != canang::who_may::members, "allow-subscribe");
}

void look_at_rooms(const toml_value& document, std::string_view text) {
  canang::cluster::room_settings_table table;
  if (const auto fault = read_room_tables(document, largest_message, table)) {
    look_at(*fault, text);
    return;
  }
  look_at(table.rooms);
  for (const auto& [name, settings] : table.namespaces) {
    look_at(settings);
    require(canang::net::is_room_name(name + ':'), "a namespace can have a room");
    require(table.of(name + ":x").history_size == settings.history_size, "which has its settings");
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  canang::fuzz::input in{data, size};
  const auto text = canang::fuzz::text_of(in.all(4096));
  const auto read = read_toml(text);
  if (const auto* const fault = std::get_if<text_fault>(&read)) {
    look_at(*fault, text);
  } else {
    const auto& document = std::get<toml_value>(read);
    require(document.what == toml_value::kind::table, "a document is a table");
    look_at(document, 0);
    look_at_rooms(document, text);
  }
  look_for_password(text.substr(0, 256));
  return 0;
}
