#include "net/json.hpp"

#include "base/hex_digit.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace canang::net {

namespace {

constexpr bool needs_escape(char c) noexcept {
  return static_cast<std::uint8_t>(c) < 0x20 || c == '"' || c == '\\';
}

void append_escaped(std::string& out, char c) {
  switch (c) {
  case '"': out += "\\\""; return;
  case '\\': out += "\\\\"; return;
  case '\n': out += "\\n"; return;
  case '\r': out += "\\r"; return;
  case '\t': out += "\\t"; return;
  default: break;
  }
  out += "\\u00";
  append_hex(out, static_cast<std::uint8_t>(c), 2);
}

} // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.reserve(out.size() + text.size() + 2);
  out += '"';
  std::size_t clean = 0; // where the run without an escape began
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!needs_escape(text[i]))
      continue;
    out.append(text, clean, i - clean);
    append_escaped(out, text[i]);
    clean = i + 1;
  }
  out.append(text, clean);
  out += '"';
}

std::size_t json_string_size(std::string_view text) noexcept {
  std::size_t size = text.size() + 2;
  for (const char c : text) {
    if (!needs_escape(c))
      continue;
    const bool is_short = c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t';
    size += is_short ? 1 : 5;
  }
  return size;
}

void append_json_strings(std::string& out,
                         std::span<const std::pair<std::string, std::string>> fields) {
  char before = '{';
  for (const auto& [name, value] : fields) {
    out += std::exchange(before, ',');
    append_json_string(out, name);
    out += ':';
    append_json_string(out, value);
  }
  out += fields.empty() ? "{}" : "}";
}

std::string json_string(std::string_view text) {
  std::string json;
  append_json_string(json, text);
  return json;
}

void append_info_fields(std::string& out, std::string_view info, std::string_view room_info) {
  if (!info.empty()) {
    out += ",\"info\":";
    out += info;
  }
  if (!room_info.empty()) {
    out += ",\"room_info\":";
    out += room_info;
  }
}

void append_base64(std::string& out, std::string_view bytes) {
  static constexpr std::string_view letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) -> std::uint32_t {
      return at < bytes.size() ? static_cast<std::uint8_t>(bytes[at]) : 0U;
    };
    const auto group = byte(i) << 16U | byte(i + 1) << 8U | byte(i + 2);
    out += letters[group >> 18U];
    out += letters[group >> 12U & 63U];
    out += i + 1 < bytes.size() ? letters[group >> 6U & 63U] : '=';
    out += i + 2 < bytes.size() ? letters[group & 63U] : '=';
  }
}

} // namespace canang::net
