#include "net/protocol/sse_id.hpp"

#include "net/http/target.hpp"
#include "net/limits.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace canang::net {

namespace {

/// Longest epoch that is looked at; ours have ten characters.
constexpr std::size_t max_epoch_bytes = 32;

/// RFC 3986, 2.3: these mean nothing in any part of a URL or an id.
bool is_unreserved(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'
         || c == '.' || c == '_' || c == '~';
}

/// Reads `ROOM=EPOCH:OFFSET` into the end of `into`.
bool parse_part(std::string_view part, room_positions& into) {
  const auto equals = part.find('=');
  if (equals == std::string_view::npos)
    return false;
  auto room = percent_decode(part.substr(0, equals));
  auto position = parse_position(part.substr(equals + 1));
  const auto is_it = [&](const auto& known) { return known.first == *room; };
  if (!room || !position || !is_room_name(*room) || std::any_of(into.begin(), into.end(), is_it))
    return false;
  into.emplace_back(std::move(*room), std::move(*position));
  return true;
}

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
  const auto epoch = text.substr(0, colon);
  if (!std::all_of(epoch.begin(), epoch.end(), is_unreserved))
    return std::nullopt;
  resume_position position{std::string{epoch}, 0};
  const auto digits = text.substr(colon + 1);
  const auto* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, position.offset);
  if (error != std::errc{} || stop != end || position.offset >> 53U != 0)
    return std::nullopt;
  return position;
}

std::string name_in_id(std::string_view room) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : room) {
    if (is_unreserved(c)) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<std::uint8_t>(c);
    encoded += {'%', digits[byte / 16], digits[byte % 16]};
  }
  return encoded;
}

std::optional<room_positions> parse_room_ids(std::string_view id) {
  if (id.size() > max_event_id_bytes)
    return std::nullopt;
  room_positions positions;
  for (;;) {
    const auto comma = id.find(',');
    if (!parse_part(id.substr(0, comma), positions))
      return std::nullopt;
    if (comma == std::string_view::npos)
      return positions;
    id.remove_prefix(comma + 1);
  }
}

} // namespace canang::net
