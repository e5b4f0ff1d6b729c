#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace canang {

/// The whole of `text` as a decimal number; nothing where it is none, or none that fits. No signs but a minus of
/// signed ones, no spaces.
template <class Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text) noexcept {
  Number number{};
  const auto* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end)
    return std::nullopt;
  return number;
}

} // namespace canang
