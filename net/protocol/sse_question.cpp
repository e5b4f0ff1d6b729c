#include "base/parse_number.hpp"
#include "net/http/target.hpp"
#include "net/protocol/sse.hpp"
#include "net/protocol/sse_id.hpp"

#include <algorithm>
#include <utility>

// What the URL and the fields of a request for events ask for.

namespace canang::net {

namespace {

constexpr std::string_view default_room = "lobby";

/// Where no room ever was. Who comes with an id that is none is told that it is not taken on from there, as all
/// are whose positions are not to be had any more.
const resume_position nowhere{"-", 0};

std::string names_wrong(const std::vector<std::string>& rooms, const sse_question& asked) {
  if (rooms.size() > asked.max_rooms)
    return "more rooms than a connection may be in: " + std::to_string(asked.max_rooms);
  std::size_t id_bytes = 0;
  for (auto at = rooms.begin(); at != rooms.end(); ++at) {
    if (!is_room_name(*at))
      return std::string{room_name_rule};
    if (std::find(rooms.begin(), at, *at) != at)
      return "a room is named twice";
    id_bytes += name_in_id(*at).size() + 1 + own_position_bytes + 1;
  }
  if (rooms.size() > 1 && id_bytes > asked.max_id_bytes)
    return "the names of the rooms are too long to be together in the id of an event";
  return {};
}

/// Fills in where the client was, room by room; one that is not in the id is new to it.
void set_positions(connection_parameters& of, const room_positions& known) {
  const auto find = [&](const std::string& room) -> std::optional<resume_position> {
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const auto& each) { return each.first == room; });
    return found == known.end() ? std::nullopt : std::optional{found->second};
  };
  of.since = find(of.room);
  for (auto& other : of.other_rooms)
    other.since = find(other.room);
}

/// @returns whether `id` is one.
bool take_id(sse_opening& opening, std::string_view id, std::size_t max_rooms) {
  if (!opening.is_of_rooms) {
    opening.parameters.since = parse_room_id(id);
    return opening.parameters.since.has_value();
  }
  const auto known = parse_room_ids(id, 2 * max_rooms); // it may have been in others before
  if (known)
    set_positions(opening.parameters, *known);
  return known.has_value();
}

void set_nowhere(connection_parameters& of) {
  of.since = nowhere;
  for (auto& other : of.other_rooms)
    other.since = nowhere;
}

} // namespace

std::variant<sse_opening, std::string> read_sse_question(const sse_question& asked) {
  sse_opening opening;
  auto rooms = query_values(asked.query, "room");
  opening.is_of_rooms = !rooms.empty();
  if (asked.room) {
    if (!rooms.empty())
      return std::string{"rooms stand in the path or in the query, not in both"};
    auto room = percent_decode(*asked.room);
    rooms.push_back(room ? std::move(*room) : std::string{});
  } else if (rooms.empty()) {
    rooms.emplace_back(default_room);
  }
  if (auto wrong = names_wrong(rooms, asked); !wrong.empty())
    return wrong;
  auto& parameters = opening.parameters;
  parameters.room = std::move(rooms.front());
  for (auto at = std::next(rooms.begin()); at != rooms.end(); ++at)
    parameters.other_rooms.push_back({std::move(*at)});
  if (const auto history = query_value(asked.query, "history")) {
    const auto count = parse_number<std::uint32_t>(*history);
    if (!count)
      return std::string{"history is a number of publications"};
    parameters.history = *count;
  }
  if (auto user = query_value(asked.query, "user")) {
    if (!is_user_name(*user))
      return std::string{"user is 1 to 255 bytes of UTF-8 without control characters"};
    parameters.user = std::move(*user);
  }
  if (const auto since = query_value(asked.query, "since"))
    if (!take_id(opening, *since, asked.max_rooms))
      return std::string{"since is the id of an event of such a stream"};
  // of these a program may know nothing: what is wrong with them is no reason to send it away for ever
  auto id = std::string{asked.last_event_id};
  if (id.empty())
    id = query_value(asked.query, "lastEventId").value_or("");
  opening.is_return = !id.empty();
  if (opening.is_return && !take_id(opening, id, asked.max_rooms))
    set_nowhere(parameters);
  return opening;
}

} // namespace canang::net
