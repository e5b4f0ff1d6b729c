#pragma once

namespace canang {

/// Whether a byte of a text in UTF-8 is a control character of ASCII. Those of U+0080 to U+009F have two bytes.
[[nodiscard]] constexpr bool is_control(char c) noexcept {
  constexpr char last_before_space = 0x1F;
  return (c >= 0 && c <= last_before_space) || c == 0x7F;
}

} // namespace canang
