#include "net/http/target.hpp"

#include "base/hex_digit.hpp"
#include "base/is_control.hpp"
#include "net/http/authority.hpp"
#include "net/limits.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace canang::net {

namespace {

/// Calls `take` with each value of `name`, decoded, until it returns false.
template <class Take>
void for_each_value(std::string_view query, std::string_view name, Take take) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    const auto equals = pair.find('=');
    if (pair.substr(0, equals) == name) {
      std::string value{equals == std::string_view::npos ? "" : pair.substr(equals + 1)};
      auto spaced = value;
      std::replace(spaced.begin(), spaced.end(), '+', ' ');
      if (!take(percent_decode(spaced).value_or(std::move(value))))
        return;
    }
    if (end == std::string_view::npos)
      return;
    query.remove_prefix(end + 1);
  }
}

} // namespace

request_target split_target(std::string_view target) noexcept {
  const auto mark = target.find('?');
  if (mark == std::string_view::npos)
    return {target, {}};
  return {target.substr(0, mark), target.substr(mark + 1)};
}

std::optional<request_target> read_target(std::string_view target) {
  if (target.starts_with('/') || target == "*")
    return split_target(target);
  static constexpr std::string_view scheme_end = "://";
  const auto mark = target.find(scheme_end);
  if (mark == std::string_view::npos || default_port(to_lower(target.substr(0, mark))) == 0)
    return std::nullopt;
  target.remove_prefix(mark + scheme_end.size());
  const auto name = target.substr(0, target.find_first_of("/?#"));
  const auto host = parse_authority(name);
  if (!host || host->host.empty()) // RFC 9110, 4.2.1
    return std::nullopt;
  target.remove_prefix(name.size());
  if (target.starts_with('#')) // a request has no fragment
    return std::nullopt;
  auto parts = split_target(target);
  if (parts.path.empty())
    parts.path = "/"; // RFC 9112, 3.2.1
  parts.authority = name;
  return parts;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size())
      return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0)
      return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

std::vector<std::string> query_values(std::string_view query, std::string_view name) {
  std::vector<std::string> values;
  for_each_value(query, name, [&](std::string&& value) {
    values.push_back(std::move(value));
    return true;
  });
  return values;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  std::optional<std::string> first;
  for_each_value(query, name, [&](std::string&& value) {
    first = std::move(value);
    return false;
  });
  return first;
}

std::string without_token(std::string_view target) {
  constexpr std::string_view name = "token=";
  std::string shown;
  std::size_t at = 0;
  while (true) {
    const auto found = target.find(name, at);
    if (found == std::string_view::npos)
      break;
    const bool is_field = found > 0 && (target[found - 1] == '?' || target[found - 1] == '&');
    const auto begin = found + name.size();
    shown += target.substr(at, begin - at);
    at = is_field ? std::min(target.find('&', begin), target.size()) : begin;
    if (is_field)
      shown += "...";
  }
  return shown += target.substr(at);
}

bool is_user_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > max_room_name_bytes)
    return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(name[i]);
    if (is_control(name[i]))
      return false;
    // U+0080..U+009F are the bytes C2 80..C2 9F
    if (byte == 0xC2 && i + 1 < name.size() && static_cast<std::uint8_t>(name[i + 1]) < 0xA0)
      return false;
  }
  return simdjson::validate_utf8(name.data(), name.size());
}

bool is_room_name(std::string_view name) noexcept {
  return name != "." && name != ".." && is_user_name(name);
}

} // namespace canang::net
