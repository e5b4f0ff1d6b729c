#include "net/auth/base64url.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace canang::net {

namespace {

constexpr std::string_view letters =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t no_letter = 0xff;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(no_letter);
  for (std::size_t i = 0; i < letters.size(); ++i)
    values[static_cast<std::uint8_t>(letters[i])] = static_cast<std::uint8_t>(i);
  return values;
}

constexpr auto values = make_values();

} // namespace

std::optional<std::string> decode_base64url(std::string_view text) {
  if (text.size() % 4 == 1)
    return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t gathered = 0;
  unsigned bits = 0;
  for (const char letter : text) {
    const auto value = values[static_cast<std::uint8_t>(letter)];
    if (value == no_letter)
      return std::nullopt;
    gathered = (gathered << 6U | value) & 0xffffU;
    bits += 6;
    if (bits < 8)
      continue;
    bits -= 8;
    bytes += static_cast<char>(gathered >> bits & 0xffU);
  }
  const bool is_canonical = (gathered & ((1U << bits) - 1)) == 0;
  return is_canonical ? std::optional{std::move(bytes)} : std::nullopt;
}

void append_base64url(std::string& out, std::string_view bytes) {
  out.reserve(out.size() + (bytes.size() * 4 + 2) / 3);
  std::uint32_t gathered = 0;
  unsigned bits = 0;
  for (const char byte : bytes) {
    gathered = (gathered << 8U | static_cast<std::uint8_t>(byte)) & 0xffffU;
    bits += 8;
    for (; bits >= 6; bits -= 6)
      out += letters[gathered >> (bits - 6) & 63U];
  }
  if (bits > 0)
    out += letters[gathered << (6 - bits) & 63U];
}

} // namespace canang::net
