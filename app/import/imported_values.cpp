#include "app/import/imported_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace canang::app {

namespace {

using kind = imported_key::kind;

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

/// Units of Go's time.ParseDuration, in milliseconds; a unit stands before one that it begins with.
constexpr std::array<std::pair<std::string_view, double>, 8> go_units{{{"ns", 1e-6},
                                                                       {"us", 1e-3},
                                                                       {"\u00b5s", 1e-3},
                                                                       {"\u03bcs", 1e-3},
                                                                       {"ms", 1.0},
                                                                       {"s", 1e3},
                                                                       {"m", 6e4},
                                                                       {"h", 3.6e6}}};

/// Ten years, as in Canang's own durations.
constexpr double max_ms = 315'360'000'000.0;

std::optional<double> take_decimal(std::string_view& text) {
  const auto size = std::min(text.find_first_not_of("0123456789."), text.size());
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + size, number);
  if (size == 0 || error != std::errc{} || end != text.data() + size)
    return std::nullopt;
  text.remove_prefix(size);
  return number;
}

std::optional<double> take_go_unit(std::string_view& text) {
  for (const auto& [name, ms] : go_units) {
    if (text.starts_with(name)) {
      text.remove_prefix(name.size());
      return ms;
    }
  }
  return std::nullopt;
}

std::optional<double> parse_go_duration(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+'))
    text.remove_prefix(1);
  if (text == "0")
    return 0;
  if (text.empty())
    return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    const auto number = take_decimal(text);
    const auto unit = number ? take_go_unit(text) : std::nullopt;
    if (!unit)
      return std::nullopt;
    total += *number * *unit;
  }
  return is_negative ? -total : total;
}

} // namespace

std::optional<std::int64_t> number_of(const imported_key& key) {
  return key.what == kind::number || key.what == kind::text ? parse_integer(key.text)
                                                            : std::nullopt;
}

std::optional<bool> flag_of(const imported_key& key) {
  if (key.what != kind::flag && key.what != kind::text && key.what != kind::number)
    return std::nullopt;
  if (key.text == "true" || key.text == "1")
    return true;
  if (key.text == "false" || key.text == "0" || key.text.empty())
    return false;
  return std::nullopt;
}

std::optional<std::string> text_of(const imported_key& key) {
  return key.what == kind::text || key.what == kind::number ? std::optional{key.text}
                                                            : std::nullopt;
}

std::optional<std::chrono::milliseconds> duration_of(const imported_key& key) {
  constexpr double ns_per_ms = 1e6;
  std::optional<double> ms;
  if (key.what == kind::text)
    ms = parse_go_duration(key.text);
  if (const auto ns = number_of(key))
    ms = static_cast<double>(*ns) / ns_per_ms;
  if (!ms || std::abs(*ms) > max_ms)
    return std::nullopt;
  return std::chrono::milliseconds{std::llround(*ms)};
}

std::optional<std::vector<std::string>> list_of(const imported_key& key,
                                                std::string_view separators) {
  if (key.what == kind::list)
    return key.items;
  if (key.what != kind::text)
    return std::nullopt;
  std::vector<std::string> items;
  for (std::string_view rest = key.text; !rest.empty();) {
    const auto item = rest.substr(0, rest.find_first_of(separators));
    rest.remove_prefix(std::min(item.size() + 1, rest.size()));
    if (!item.empty())
      items.emplace_back(item);
  }
  return items;
}

std::string to_text(std::chrono::milliseconds duration) {
  static constexpr std::array<std::pair<std::int64_t, std::string_view>, 3> units{
    {{3'600'000, "h"}, {60'000, "m"}, {1000, "s"}}};
  const auto ms = duration.count();
  for (const auto& [factor, name] : units)
    if (ms != 0 && ms % factor == 0)
      return fmt::format("{}{}", ms / factor, name);
  return ms == 0 ? "0s" : fmt::format("{}ms", ms);
}

std::string size_to_text(std::uint64_t bytes) {
  static constexpr std::array<std::pair<std::uint64_t, std::string_view>, 3> units{
    {{1ULL << 30U, "GiB"}, {1ULL << 20U, "MiB"}, {1ULL << 10U, "KiB"}}};
  for (const auto& [factor, name] : units)
    if (bytes != 0 && bytes % factor == 0)
      return fmt::format("{}{}", bytes / factor, name);
  return std::to_string(bytes);
}

} // namespace canang::app
