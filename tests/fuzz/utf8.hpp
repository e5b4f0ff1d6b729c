#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace canang::fuzz {

/// UTF-8 decoded the long way (RFC 3629), for comparison.
/// @returns the code points, or nothing when it is not UTF-8.
inline std::optional<std::vector<char32_t>> decode_utf8(std::string_view text) {
  std::vector<char32_t> points;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<std::uint8_t>(text[i++]);
    int more = 0;
    char32_t point = lead;
    char32_t least = 0;
    if (lead >= 0xF0) {
      more = 3;
      point = lead & 0x07U;
      least = 0x10000;
      if (lead > 0xF7)
        return std::nullopt;
    } else if (lead >= 0xE0) {
      more = 2;
      point = lead & 0x0FU;
      least = 0x800;
    } else if (lead >= 0xC0) {
      more = 1;
      point = lead & 0x1FU;
      least = 0x80;
    } else if (lead >= 0x80) {
      return std::nullopt;
    }
    for (; more > 0; --more, ++i) {
      if (i >= text.size() || (static_cast<std::uint8_t>(text[i]) & 0xC0U) != 0x80)
        return std::nullopt;
      point = (point << 6U) | (static_cast<std::uint8_t>(text[i]) & 0x3FU);
    }
    if (point < least || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
      return std::nullopt;
    points.push_back(point);
  }
  return points;
}

/// Whether there is something that makes UTF-8 of `text`: at most three bytes more, of which the
/// first may have to lie in a range of its own.
inline bool begins_utf8(std::string_view text) {
  for (const std::string_view more : {"", "\x80", "\x90", "\xa0"})
    for (const std::string_view still_more : {"", "\x80", "\x80\x80"})
      if (decode_utf8(std::string{text}.append(more).append(still_more)))
        return true;
  return false;
}

} // namespace canang::fuzz
