#include "app/units.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <utility>

namespace canang::app {

namespace {

/// Takes the digits at the front of `text`.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{})
    return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

using unit = std::pair<std::string_view, std::uint64_t>;

constexpr std::array<unit, 4> duration_units{
  {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
constexpr std::array<unit, 4> size_units{
  {{"KiB", 1ULL << 10U}, {"MiB", 1ULL << 20U}, {"GiB", 1ULL << 30U}, {"B", 1}}};

/// Takes the unit at the front of `text`.
template <std::size_t Size>
std::optional<std::uint64_t> take_unit(std::string_view& text,
                                       const std::array<unit, Size>& units) {
  for (const auto& [name, factor] : units) {
    if (text.starts_with(name)) {
      text.remove_prefix(name.size());
      return factor;
    }
  }
  return std::nullopt;
}

/// More than this is a slip of the pen: ten years in milliseconds, and it keeps sums from wrapping.
constexpr std::uint64_t max_number = 315'360'000'000;

} // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text == "0")
    return std::chrono::milliseconds{0};
  if (text.empty())
    return std::nullopt;
  std::uint64_t total_ms = 0;
  while (!text.empty()) {
    const auto number = take_number(text);
    const auto factor = take_unit(text, duration_units);
    if (!number || !factor || *number > max_number / *factor)
      return std::nullopt;
    total_ms += *number * *factor;
  }
  if (total_ms > max_number)
    return std::nullopt;
  return std::chrono::milliseconds{total_ms};
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto number = take_number(text);
  if (!number)
    return std::nullopt;
  const auto factor = text.empty() ? std::optional<std::uint64_t>{1} : take_unit(text, size_units);
  if (!factor || !text.empty() || *number > std::numeric_limits<std::uint32_t>::max())
    return std::nullopt;
  return *number * *factor;
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  const bool has_digits_only =
    std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  return has_digits_only ? parse_size(text) : std::nullopt;
}

std::optional<boost::asio::ip::tcp::endpoint> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return std::nullopt;
  auto host = text.substr(0, colon);
  auto digits = text.substr(colon + 1);
  const auto port = take_number(digits);
  if (!port || !digits.empty() || *port > 65'535)
    return std::nullopt;
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed)
    host = host.substr(1, host.size() - 2);
  boost::system::error_code ec;
  const auto address = host.empty() ? boost::asio::ip::address{boost::asio::ip::address_v4::any()}
                                    : boost::asio::ip::make_address(std::string{host}, ec);
  if (ec || address.is_v6() != bracketed)
    return std::nullopt;
  return boost::asio::ip::tcp::endpoint{address, static_cast<std::uint16_t>(*port)};
}

} // namespace canang::app
