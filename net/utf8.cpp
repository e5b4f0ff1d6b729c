#include "net/utf8.hpp"

#include <cstddef>
#include <cstring>

namespace canang::net {

namespace {

constexpr bool is_between(std::uint8_t byte, std::uint8_t low, std::uint8_t high) noexcept {
  return byte >= low && byte <= high;
}

/// Bytes of ASCII at the front of `text`, counted in words of eight.
std::size_t ascii_words(std::span<const char> text) noexcept {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    if ((word & 0x8080808080808080U) != 0)
      break;
  }
  return at;
}

} // namespace

utf8_checker::state utf8_checker::first(std::uint8_t byte) noexcept {
  if (byte < 0x80)
    return state::whole;
  if (is_between(byte, 0xC2, 0xDF))
    return state::one_more;
  switch (byte) {
  case 0xE0: return state::after_e0;
  case 0xED: return state::after_ed;
  case 0xF0: return state::after_f0;
  case 0xF4: return state::after_f4;
  default: break;
  }
  if (is_between(byte, 0xE1, 0xEF))
    return state::two_more;
  return is_between(byte, 0xF1, 0xF3) ? state::three_more : state::broken;
}

utf8_checker::state utf8_checker::next(state now, std::uint8_t byte) noexcept {
  const auto go_on = [&](std::uint8_t low, std::uint8_t high, state then) {
    return is_between(byte, low, high) ? then : state::broken;
  };
  switch (now) {
  case state::whole: return first(byte);
  case state::one_more: return go_on(0x80, 0xBF, state::whole);
  case state::two_more: return go_on(0x80, 0xBF, state::one_more);
  case state::three_more: return go_on(0x80, 0xBF, state::two_more);
  case state::after_e0: return go_on(0xA0, 0xBF, state::one_more);
  case state::after_ed: return go_on(0x80, 0x9F, state::one_more);
  case state::after_f0: return go_on(0x90, 0xBF, state::two_more);
  case state::after_f4: return go_on(0x80, 0x8F, state::two_more);
  case state::broken: break;
  }
  return state::broken;
}

bool utf8_checker::feed(std::span<const char> text) noexcept {
  std::size_t at = 0;
  while (at < text.size() && state_ != state::broken) {
    if (state_ == state::whole)
      at += ascii_words(text.subspan(at));
    if (at < text.size())
      state_ = next(state_, static_cast<std::uint8_t>(text[at++]));
  }
  return state_ != state::broken;
}

bool is_utf8(std::span<const char> text) noexcept {
  utf8_checker checker;
  return checker.feed(text) && checker.is_whole();
}

} // namespace canang::net
