#include "net/log_text.hpp"

#include "base/hex_digit.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace canang::net {

namespace {

constexpr char32_t not_a_character = 0xFFFFFFFF; // a byte that is not UTF-8

/// First and last code point of what is not shown as it is: Unicode's Cc and Cf, the separators of
/// lines and paragraphs, and letters without a shape.
constexpr std::array<std::array<char32_t, 2>, 16> hidden{{{0x0, 0x1F},
                                                          {0x7F, 0x9F},
                                                          {0xAD, 0xAD},
                                                          {0x600, 0x605},
                                                          {0x61C, 0x61C},
                                                          {0x6DD, 0x6DD},
                                                          {0x115F, 0x1160},
                                                          {0x180E, 0x180E},
                                                          {0x200B, 0x200F},
                                                          {0x2028, 0x202E},
                                                          {0x2060, 0x206F},
                                                          {0x3164, 0x3164},
                                                          {0xFEFF, 0xFEFF},
                                                          {0xFFA0, 0xFFA0},
                                                          {0xFFF9, 0xFFFB},
                                                          {0xE0000, 0xE0FFF}}};

bool is_hidden(char32_t code) noexcept {
  return code == not_a_character
         || std::any_of(hidden.begin(), hidden.end(),
                        [&](const auto& range) { return code >= range[0] && code <= range[1]; });
}

struct character {
  char32_t code = not_a_character;
  std::string_view bytes;
};

/// Takes the first character of `text`, which is not empty; one byte where it is not UTF-8 (RFC 3629).
character take_character(std::string_view& text) noexcept {
  static constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000}; // of each length
  const auto first = static_cast<std::uint8_t>(text[0]);
  const std::size_t size = first < 0x80   ? 1
                           : first < 0xC0 ? 0
                           : first < 0xE0 ? 2
                           : first < 0xF0 ? 3
                           : first < 0xF8 ? 4
                                          : 0;
  char32_t code = size < 2 ? first : first & (0x7FU >> size);
  bool is_valid = size > 0 && size <= text.size();
  for (std::size_t i = 1; is_valid && i < size; ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    is_valid = (byte & 0xC0U) == 0x80;
    code = code << 6U | (byte & 0x3FU);
  }
  is_valid =
    is_valid && code >= least[size] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
  const character taken{is_valid ? code : not_a_character, text.substr(0, is_valid ? size : 1)};
  text.remove_prefix(taken.bytes.size());
  return taken;
}

void append_for_text(std::string& out, const character& c) {
  switch (c.code) {
  case '\n': out += "\\n"; return;
  case '\r': out += "\\r"; return;
  case '\t': out += "\\t"; return;
  case not_a_character:
    out += "\\x";
    append_hex(out, static_cast<std::uint8_t>(c.bytes[0]), 2);
    return;
  default: break;
  }
  out += c.code > 0xFFFF ? "\\U" : "\\u";
  append_hex(out, c.code, c.code > 0xFFFF ? 8 : 4);
}

void append_for_json(std::string& out, const character& c) {
  const auto append_unit = [&out](std::uint32_t unit) {
    out += "\\u";
    append_hex(out, unit, 4);
  };
  if (c.code == not_a_character) {
    append_unit(0xFFFD);
  } else if (c.code > 0xFFFF) { // a surrogate pair
    append_unit(0xD800 + ((c.code - 0x10000) >> 10U));
    append_unit(0xDC00 + ((c.code - 0x10000) & 0x3FFU));
  } else {
    append_unit(c.code);
  }
}

template <class Append>
std::string escaped(std::string_view text, std::string_view also, Append append) {
  std::string out;
  out.reserve(text.size() + 2);
  while (!text.empty()) {
    const auto c = take_character(text);
    if (c.code < 0x80 && also.find(c.bytes[0]) != std::string_view::npos)
      (out += '\\') += c.bytes;
    else if (is_hidden(c.code))
      append(out, c);
    else
      out += c.bytes;
  }
  return out;
}

} // namespace

std::string log_field(std::string_view text) {
  return '"' + escaped(text, "\"\\", append_for_text) + '"';
}

std::string log_line(std::string_view text) { return escaped(text, {}, append_for_text); }

std::string log_json(std::string_view text) { return escaped(text, "\"\\", append_for_json); }

} // namespace canang::net
