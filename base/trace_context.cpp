#include "base/trace_context.hpp"

#include "base/hex_digit.hpp"

#include <cstddef>
#include <random>

namespace canang {

namespace {

constexpr std::size_t length = 55; // of version 00

/// Hexadecimal digits in lower case, as there have to be.
template <class Number>
bool take_hex(std::string_view& from, std::size_t digits, Number& into) noexcept {
  into = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const char digit = from[i];
    if (hex_digit(digit) < 0 || (digit >= 'A' && digit <= 'F'))
      return false;
    into = static_cast<Number>(into << 4U | static_cast<unsigned>(hex_digit(digit)));
  }
  from.remove_prefix(digits);
  return true;
}

bool take_dash(std::string_view& from) noexcept {
  const bool is_there = from.front() == '-';
  from.remove_prefix(1);
  return is_there;
}

/// Not 0. Of the quality that different nodes need not to choose the same; it keeps no secret.
std::uint64_t random_id() {
  thread_local std::mt19937_64 numbers{[] {
    std::random_device source;
    std::seed_seq seeds{source(), source(), source(), source()};
    return std::mt19937_64{seeds};
  }()};
  std::uint64_t id = 0;
  while (id == 0)
    id = numbers();
  return id;
}

} // namespace

std::optional<trace_context> parse_traceparent(std::string_view text) noexcept {
  if (text.size() < length || (text.size() > length && text[length] != '-'))
    return std::nullopt;
  const bool is_longer = text.size() > length;
  unsigned version = 0;
  unsigned flags = 0;
  trace_context at;
  if (!take_hex(text, 2, version) || !take_dash(text) || !take_hex(text, 16, at.trace_high)
      || !take_hex(text, 16, at.trace_low) || !take_dash(text) || !take_hex(text, 16, at.span)
      || !take_dash(text) || !take_hex(text, 2, flags))
    return std::nullopt;
  constexpr unsigned no_version = 0xff;
  if (version == no_version || (version == 0 && is_longer))
    return std::nullopt;
  if ((at.trace_high | at.trace_low) == 0 || at.span == 0)
    return std::nullopt;
  at.is_sampled = (flags & 1U) != 0;
  return at;
}

std::string to_traceparent(const trace_context& at) {
  std::string text{"00-"};
  text.reserve(length);
  append_hex(text, at.trace_high, 16);
  append_hex(text, at.trace_low, 16);
  text += '-';
  append_hex(text, at.span, 16);
  return text += at.is_sampled ? "-01" : "-00";
}

std::string trace_id_of(const trace_context& at) {
  std::string text;
  append_hex(text, at.trace_high, 16);
  append_hex(text, at.trace_low, 16);
  return text;
}

trace_context new_trace() {
  return {
    .trace_high = random_id(), .trace_low = random_id(), .span = random_id(), .is_sampled = true};
}

trace_context child_of(const trace_context& parent) {
  auto child = parent;
  child.span = random_id();
  return child;
}

} // namespace canang
