#include "net/protocol/position_text.hpp"

#include <charconv>
#include <cstddef>
#include <system_error>

namespace canang::net {

namespace {

/// Longest epoch that is looked at; ours have ten characters.
constexpr std::size_t max_epoch_bytes = 32;

} // namespace

void append_position(std::string& out, std::string_view epoch, std::uint64_t offset) {
  out += epoch;
  out += ':';
  out += std::to_string(offset);
}

std::optional<resume_position> parse_position(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon > max_epoch_bytes)
    return std::nullopt;
  resume_position position{std::string{text.substr(0, colon)}, 0};
  const auto digits = text.substr(colon + 1);
  const auto* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, position.offset);
  if (error != std::errc{} || stop != end || position.offset >> 53U != 0)
    return std::nullopt;
  return position;
}

} // namespace canang::net
