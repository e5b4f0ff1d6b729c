#include "app/import/toml_writer.hpp"

#include "base/cut_utf8.hpp"
#include "base/is_control.hpp"
#include "net/log_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace canang::app {

namespace {

constexpr std::size_t max_columns = 100;
constexpr std::size_t max_text_bytes = 512;
constexpr std::ptrdiff_t max_text_dots = 100; // the reader takes 200 a line

bool is_bare(std::string_view key) {
  static constexpr std::string_view bare =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  return !key.empty() && key.find_first_not_of(bare) == std::string_view::npos;
}

/// How much of `text` is the next line: up to a blank, or in a word that is longer than a line.
std::size_t next_line(std::string_view text, std::size_t room) {
  if (text.size() <= room)
    return text.size();
  const auto blank = text.rfind(' ', room);
  if (blank != std::string_view::npos && blank > 0)
    return blank;
  return std::max<std::size_t>(cut_utf8(text, room).size(), 1);
}

} // namespace

std::string toml_text(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      quoted += '\\';
    if (is_control(c))
      quoted += fmt::format("\\u{:04X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    else
      quoted += c;
  }
  return quoted + '"';
}

bool is_writable(std::string_view text) {
  return !text.empty() && text.size() <= max_text_bytes
         && std::none_of(text.begin(), text.end(), is_control)
         && std::count(text.begin(), text.end(), '.') <= max_text_dots;
}

void toml_writer::note(std::string_view text) {
  const auto shown = net::log_line(text);
  for (std::string_view rest = shown; !rest.empty();) {
    const auto size = next_line(rest, max_columns - 2);
    text_.append("# ").append(rest.substr(0, size)) += '\n';
    rest.remove_prefix(size);
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  }
}

void toml_writer::line(std::string_view key, std::string_view literal, std::string_view from) {
  text_.append(key).append(" = ").append(literal);
  end_line(from);
}

void toml_writer::list(std::string_view key, const std::vector<std::string>& items,
                       std::string_view from) {
  if (items.size() == 1) {
    line(key, toml_text(items.front()), from);
    return;
  }
  text_.append(key).append(" = [");
  end_line(from);
  for (const auto& item : items)
    text_.append("  ").append(toml_text(item)) += ",\n";
  text_ += "]\n";
}

void toml_writer::table(std::string_view before, std::string_view name) {
  text_.append("\n[").append(before);
  text_.append(is_bare(name) ? std::string{name} : toml_text(name)) += "]\n";
}

void toml_writer::end_line(std::string_view from) {
  if (!from.empty())
    text_.append("  # ").append(net::log_line(from));
  text_ += '\n';
}

} // namespace canang::app
