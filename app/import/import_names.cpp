#include "app/import/import_options.hpp"
#include "app/import/import_tokens.hpp"
#include "app/import/imported_values.hpp"
#include "net/http/target.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace canang::app {

namespace {

constexpr std::size_t max_mark_bytes = 32; // of the options

void write_mark(const imported_key* key, std::string_view option, std::string_view otherwise,
                toml_writer& out) {
  const auto text = key != nullptr ? text_of(*key) : std::optional{std::string{otherwise}};
  if (text && text->size() <= max_mark_bytes && (text->empty() || is_writable(*text))
      && net::is_room_name(*text + "a")) {
    out.line(option, toml_text(*text), key != nullptr ? key->path : std::string_view{});
    return;
  }
  if (key != nullptr)
    note_wrong(*key, "a text of up to 32 bytes", out);
  out.line(option, toml_text(otherwise), {});
}

} // namespace

void write_name_options(imported_keys& keys, toml_writer& out) {
  write_mark(keys.take({"channel.private_prefix", "channel_private_prefix"}), "private-prefix", "$",
             out);
  write_mark(keys.take({"channel.user_boundary", "channel_user_boundary"}), "user-boundary", "#",
             out);
  const auto* const separator = keys.take({"channel.user_separator", "channel_user_separator"});
  if (separator == nullptr)
    return;
  out.note(
    separator->text == ","
      ? fmt::format("{}: it is , here, too.", separator->path)
      : fmt::format("{}: it is , here. Rooms of several users need other names.", separator->path));
}

} // namespace canang::app
