#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace canang {

/// The value of a hexadecimal digit, of either case; -1 where it is none.
[[nodiscard]] constexpr int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/// Appends the lowest `digits` hexadecimal digits of a value, in lower case.
inline void append_hex(std::string& to, std::uint64_t value, std::size_t digits) {
  while (digits-- > 0)
    to += "0123456789abcdef"[value >> (4 * digits) & 0xFU];
}

} // namespace canang
