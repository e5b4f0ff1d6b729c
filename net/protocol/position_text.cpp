#include "net/protocol/position_text.hpp"

#include "base/parse_number.hpp"

#include <cstddef>

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
  const auto offset = parse_number<std::uint64_t>(text.substr(colon + 1));
  if (!offset || *offset >> 53U != 0)
    return std::nullopt;
  return resume_position{std::string{text.substr(0, colon)}, *offset};
}

} // namespace canang::net
