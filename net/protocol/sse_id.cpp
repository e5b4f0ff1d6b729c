#include "net/protocol/sse_id.hpp"

#include "net/http/target.hpp"
#include "net/limits.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace canang::net {

namespace {

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
  auto position = parse_room_id(part.substr(equals + 1));
  const auto is_it = [&](const auto& known) { return known.first == *room; };
  if (!room || !position || !is_room_name(*room) || std::any_of(into.begin(), into.end(), is_it))
    return false;
  into.emplace_back(std::move(*room), std::move(*position));
  return true;
}

} // namespace

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

std::optional<resume_position> parse_room_id(std::string_view id) {
  auto position = parse_position(id);
  if (position
      && !std::all_of(position->epoch.begin(), position->epoch.end(),
                      is_unreserved)) // it has a meaning in ids
    position.reset();
  return position;
}

std::optional<room_positions> parse_room_ids(std::string_view id, std::size_t most) {
  if (id.size() > max_event_id_bytes)
    return std::nullopt;
  room_positions positions;
  for (;;) {
    const auto comma = id.find(',');
    if (positions.size() == most || !parse_part(id.substr(0, comma), positions))
      return std::nullopt;
    if (comma == std::string_view::npos)
      return positions;
    id.remove_prefix(comma + 1);
  }
}

} // namespace canang::net
