#include "app/admin/base64.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace canang::admin {

namespace {

constexpr std::uint8_t no_digit = 64;

constexpr std::array<std::uint8_t, 256> digits = [] {
  constexpr std::string_view letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<std::uint8_t, 256> table{};
  table.fill(no_digit);
  for (std::size_t i = 0; i < letters.size(); ++i)
    table[static_cast<std::uint8_t>(letters[i])] = static_cast<std::uint8_t>(i);
  return table;
}();

} // namespace

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0)
    return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=')
    ++padding;
  text.remove_suffix(padding);
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t held = 0; // bits that do not make a byte yet
  unsigned bits = 0;
  for (const char letter : text) {
    const auto digit = digits[static_cast<std::uint8_t>(letter)];
    if (digit == no_digit)
      return std::nullopt;
    held = held << 6U | digit;
    bits += 6;
    if (bits < 8)
      continue;
    bits -= 8;
    bytes += static_cast<char>(held >> bits & 0xffU);
    held &= (1U << bits) - 1;
  }
  if (held != 0) // bits behind the last byte
    return std::nullopt;
  return bytes;
}

} // namespace canang::admin
