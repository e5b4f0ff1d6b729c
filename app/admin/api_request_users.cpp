#include "app/admin/api_json.hpp"
#include "app/admin/api_request.hpp"
#include "app/admin/api_request_fields.hpp"
#include "base/unix_time.hpp"
#include "net/close_code.hpp"
#include "net/http/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

// What is to be done with the connections of users.

namespace canang::admin {

namespace {

namespace dom = simdjson::dom;

using simdjson::padded_string;
using names = std::string_view;

constexpr std::uint16_t force_reconnect = 3011; // codes of Centrifugo's disconnects
constexpr std::uint16_t connection_expired = 3005;
constexpr std::int64_t min_code = 3000;
constexpr std::int64_t max_code = 4999;
constexpr std::size_t max_reason_bytes = 123; // RFC 6455, 5.5

bool is_client_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= max_api_client_bytes
         && std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 127; });
}

/// `user`, which has to be there unless there is a `client`.
api_target target_of(const api_fields& given, complaint& wrong) {
  api_target target{.user = given.text("user"), .client = given.text("client")};
  if (target.user.empty() && target.client.empty())
    wrong.refuse("'user' is missing");
  else if (!target.user.empty() && !net::is_user_name(target.user))
    wrong.refuse("'user' has to be 1 to 255 bytes without control characters");
  if (!target.client.empty() && !is_client_name(target.client))
    wrong.refuse("'client' is not the name of a connection");
  return target;
}

std::vector<std::string> whitelist_of(const api_fields& given, complaint& wrong) {
  std::vector<std::string> spared;
  const auto named = given.array("whitelist");
  if (!named)
    return spared;
  if (named->size() > max_api_spared)
    wrong.refuse(fmt::format("'whitelist' has more than {} names", max_api_spared));
  for (const auto one : *named) {
    std::string_view name;
    if (one.get(name) != simdjson::SUCCESS)
      wrong.unreadable("'whitelist' has to be an array of strings");
    else if (!is_client_name(name))
      wrong.refuse("'whitelist' has a name that is not that of a connection");
    spared.emplace_back(name);
  }
  return spared;
}

/// `disconnect` of a request: code and reason.
void read_how(const dom::object& how, api_disconnect& into, complaint& wrong) {
  static constexpr std::array<names, 2> known{"code", "reason"};
  const api_fields said{how, known, wrong};
  const auto code = said.number("code").value_or(0);
  if (code != 0 && (code < min_code || code > max_code))
    wrong.refuse("'code' has to be from 3000 to 4999");
  else if (code != 0)
    into.code = static_cast<std::uint16_t>(code);
  into.reason = said.text("reason");
  if (into.reason.size() > max_reason_bytes)
    wrong.refuse(fmt::format("'reason' is longer than {} bytes", max_reason_bytes));
}

std::string_view usual_reason(std::uint16_t code) noexcept {
  switch (code) {
  case net::force_disconnect: return "force disconnect";
  case force_reconnect: return "force reconnect";
  default: return {};
  }
}

} // namespace

api_parsed<api_disconnect> parse_disconnect(std::string_view body) {
  static constexpr std::array<names, 4> known{"user", "client", "whitelist", "disconnect"};
  return read_request<api_disconnect>(
    body, [](const dom::object& object, const padded_string&, complaint& wrong) {
      const api_fields given{object, known, wrong};
      api_disconnect request{.whom = target_of(given, wrong),
                             .code = net::force_disconnect,
                             .spared = whitelist_of(given, wrong)};
      if (const auto how = given.object("disconnect"))
        read_how(*how, request, wrong);
      if (request.reason.empty())
        request.reason = usual_reason(request.code);
      return request;
    });
}

api_parsed<api_subscribe> parse_subscribe(std::string_view body) {
  static constexpr std::array<names, 4> known{"user", "client", "channel", "recover_since"};
  return read_request<api_subscribe>(
    body, [](const dom::object& object, const padded_string&, complaint& wrong) {
      const api_fields given{object, known, wrong};
      api_subscribe request{.whom = target_of(given, wrong), .channel = room_of(given, wrong)};
      if (const auto since = given.object("recover_since"))
        request.since = since_of(*since, wrong);
      return request;
    });
}

api_parsed<api_unsubscribe> parse_unsubscribe(std::string_view body) {
  static constexpr std::array<names, 3> known{"user", "client", "channel"};
  return read_request<api_unsubscribe>(
    body, [](const dom::object& object, const padded_string&, complaint& wrong) {
      const api_fields given{object, known, wrong};
      return api_unsubscribe{.whom = target_of(given, wrong), .channel = room_of(given, wrong)};
    });
}

api_parsed<api_refresh> parse_refresh(std::string_view body) {
  static constexpr std::array<names, 4> known{"user", "client", "expired", "expire_at"};
  return read_request<api_refresh>(
    body, [](const dom::object& object, const padded_string&, complaint& wrong) {
      const api_fields given{object, known, wrong};
      api_refresh request{.end = {.whom = target_of(given, wrong),
                                  .code = connection_expired,
                                  .reason = "connection expired"},
                          .is_expired = given.flag("expired")};
      const auto expire_at = given.number("expire_at").value_or(0);
      if (expire_at < 0)
        wrong.refuse("'expire_at' is negative");
      else if (expire_at > unix_s())
        request.expires_at = expire_at;
      else
        request.is_expired |= expire_at > 0;
      return request;
    });
}

} // namespace canang::admin
