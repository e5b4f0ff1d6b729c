#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace canang {

/// The longest beginning of a text in UTF-8 within `limit` bytes that does not cut a character in two.
[[nodiscard]] inline std::string_view cut_utf8(std::string_view text, std::size_t limit) noexcept {
  if (text.size() <= limit)
    return text;
  auto end = limit;
  while (end > 0 && (static_cast<std::uint8_t>(text[end]) & 0xC0U) == 0x80U)
    --end;
  return text.substr(0, end);
}

} // namespace canang
