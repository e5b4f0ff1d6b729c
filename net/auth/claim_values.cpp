#include "net/auth/claim_values.hpp"

#include "net/auth/token_limits.hpp"
#include "net/base64.hpp"
#include "net/http/target.hpp"
#include "net/json_cursor.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace canang::net {

namespace dom = simdjson::dom;

namespace {

bool add_room(std::string_view room, std::vector<std::string>& rooms) {
  if (!is_room_name(room))
    return false;
  if (std::find(rooms.begin(), rooms.end(), room) == rooms.end())
    rooms.emplace_back(room);
  return rooms.size() <= max_token_rooms;
}

std::optional<std::uint8_t> read_rights(const dom::object& entry) {
  static constexpr std::array<std::pair<std::string_view, token_grant::right>, 5> names{
    {{"sub", token_grant::subscribe},
     {"pub", token_grant::publish},
     {"prs", token_grant::presence},
     {"hst", token_grant::history},
     {"mod", token_grant::moderate}}};
  dom::array allowed;
  if (entry["allow"].get(allowed) != simdjson::SUCCESS)
    return std::nullopt;
  unsigned rights = 0;
  for (const auto one : allowed) {
    std::string_view name;
    if (one.get(name) != simdjson::SUCCESS)
      return std::nullopt;
    const auto* const found = std::find_if(names.begin(), names.end(),
                                           [&](const auto& known) { return known.first == name; });
    if (found == names.end())
      return std::nullopt;
    rights |= found->second;
  }
  return static_cast<std::uint8_t>(rights);
}

/// `regex`, which Centrifugo has too, is not taken: a pattern of a stranger must not decide how long a match takes.
std::optional<token_grant::kind> read_match(const dom::object& entry) {
  std::string_view name;
  const auto error = entry["match"].get(name);
  if (error == simdjson::NO_SUCH_FIELD)
    return token_grant::kind::exact;
  if (error != simdjson::SUCCESS)
    return std::nullopt;
  if (name.empty() || name == "exact")
    return token_grant::kind::exact;
  return name == "wildcard" ? std::optional{token_grant::kind::wildcard} : std::nullopt;
}

bool read_grant(const dom::object& entry, std::vector<token_grant>& into) {
  const auto rights = read_rights(entry);
  const auto match = read_match(entry);
  dom::array patterns;
  if (!rights || !match || entry["channels"].get(patterns) != simdjson::SUCCESS)
    return false;
  for (const auto one : patterns) {
    std::string_view pattern;
    if (one.get(pattern) != simdjson::SUCCESS || !is_room_name(pattern)
        || into.size() == max_token_grants)
      return false;
    into.push_back({.pattern = std::string{pattern}, .match = *match, .rights = *rights});
  }
  return true;
}

} // namespace

bool read_text(const dom::element& value, std::string& into) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS)
    return false;
  into = text;
  return true;
}

bool read_user(const dom::element& value, std::string& into) {
  return read_text(value, into) && (into.empty() || is_user_name(into));
}

bool read_rooms(const dom::element& value, std::vector<std::string>& into) {
  dom::array names;
  if (value.get(names) != simdjson::SUCCESS)
    return false;
  for (const auto one : names) {
    std::string_view room;
    if (one.get(room) != simdjson::SUCCESS || !add_room(room, into))
      return false;
  }
  return true;
}

bool read_subscriptions(const dom::element& value, std::vector<std::string>& into) {
  dom::object by_room;
  if (value.get(by_room) != simdjson::SUCCESS)
    return false;
  for (const auto field : by_room)
    if (!field.value.is_object() || !add_room(field.key, into))
      return false;
  return true;
}

bool read_grants(const dom::element& value, std::vector<token_grant>& into) {
  dom::array entries;
  if (value.get(entries) != simdjson::SUCCESS)
    return false;
  for (const auto one : entries) {
    dom::object entry;
    if (one.get(entry) != simdjson::SUCCESS || !read_grant(entry, into))
      return false;
  }
  return true;
}

std::optional<std::string> short_json(std::string_view json) {
  json_cursor reads{json, max_token_depth};
  (void)reads.value();
  if (!reads.is_done() || !simdjson::validate_utf8(json.data(), json.size()))
    return std::nullopt;
  std::string out(json.size() + simdjson::SIMDJSON_PADDING, '\0'); // it writes ahead
  std::size_t size = 0;
  if (simdjson::minify(json.data(), json.size(), out.data(), size) != simdjson::SUCCESS
      || size > max_info_bytes)
    return std::nullopt;
  out.resize(size);
  return out == "null" ? std::string{} : out;
}

bool read_base64_info(std::string_view text, std::string& into) {
  if (text.empty())
    return true; // as Centrifugo takes it
  const auto bytes = decode_base64(text);
  auto json = bytes ? short_json(*bytes) : std::nullopt;
  if (json)
    into = std::move(*json);
  return json.has_value();
}

} // namespace canang::net
