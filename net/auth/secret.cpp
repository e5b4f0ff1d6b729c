#include "net/auth/secret.hpp"

#include <algorithm>
#include <cstddef>

namespace canang::net {

namespace {

constexpr std::size_t min_key_bytes = 16;  // 64 bits, where each is a hexadecimal digit
constexpr std::size_t max_key_bytes = 256; // a request's headers have a limit

} // namespace

bool is_key(std::string_view text) noexcept {
  return text.size() >= min_key_bytes && text.size() <= max_key_bytes
         && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

bool is_same_secret(std::string_view given, std::string_view wanted) noexcept {
  if (wanted.empty())
    return given.empty();
  unsigned difference = given.size() == wanted.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i)
    difference |= static_cast<unsigned char>(given[i] ^ wanted[i % wanted.size()]);
  return difference == 0;
}

} // namespace canang::net
