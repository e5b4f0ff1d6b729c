#include "app/admin/api_json.hpp"
#include "app/admin/api_request.hpp"
#include "net/http/target.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <optional>
#include <utility>

// Requests of moderators.

namespace canang::admin {

namespace {

namespace dom = simdjson::dom;

using cluster::act_key;
using cluster::act_kind;
using cluster::act_scope;
using cluster::act_target;
using cluster::moderation_wish;
using simdjson::padded_string;
using names = std::string_view;

/// `channel` or `namespace`, or neither.
void read_scope(const api_fields& given, act_key& into, complaint& wrong) {
  const auto channel = given.text("channel");
  const auto space = given.text("namespace");
  const bool has_channel = given.present("channel").has_value();
  const bool has_space = given.present("namespace").has_value();
  if (has_channel && has_space)
    wrong.refuse("'channel' and 'namespace' are both there");
  else if (has_channel && !net::is_room_name(channel)) // an empty one is not meant to be everywhere
    wrong.refuse(fault_of_channel(channel));
  else if (has_space && (!net::is_user_name(space) || space.find(':') != std::string::npos))
    wrong.refuse("'namespace' has to be 1 to 255 bytes without control characters and colons");
  if (!channel.empty()) {
    into.scope = act_scope::room;
    into.place = channel;
  } else if (!space.empty()) {
    into.scope = act_scope::name_space;
    into.place = space;
  }
}

/// `user` or `address`.
void read_subject(const api_fields& given, act_key& into, complaint& wrong) {
  const auto user = given.text("user");
  const auto address = given.text("address");
  if (user.empty() == address.empty()) {
    wrong.refuse(user.empty() ? "'user' is missing, or 'address'"
                              : "'user' and 'address' are both there");
    return;
  }
  if (!user.empty()) {
    if (!net::is_user_name(user))
      wrong.refuse("'user' has to be 1 to 255 bytes without control characters");
    into.subject = user;
    return;
  }
  const auto prefix = cluster::read_act_addresses(address);
  if (!prefix) {
    wrong.refuse("'address' has to be an IP address, or a range such as 192.0.2.0/24 with nothing "
                 "behind its prefix, of at least /8 (IPv6: /16)");
    return;
  }
  into.target = act_target::address;
  into.subject = to_text(*prefix);
}

/// `ttl` in seconds, and `reason`.
void read_terms(const api_fields& given, moderation_wish& into, complaint& wrong) {
  const auto ttl = given.number("ttl").value_or(0);
  if (ttl < 0 || ttl > cluster::max_act_time.count())
    wrong.refuse(
      fmt::format("'ttl' has to be from 0 to {} seconds", cluster::max_act_time.count()));
  else
    into.lasts = std::chrono::seconds{ttl};
  into.reason = given.text("reason");
  if (!cluster::is_act_reason(into.reason))
    wrong.refuse(fmt::format("'reason' has to be at most {} bytes without control characters",
                             cluster::max_act_reason_bytes));
}

api_parsed<api_moderation> parse_act(std::string_view body, act_kind kind) {
  static constexpr std::array<names, 6> known{"user",      "address", "channel",
                                              "namespace", "ttl",     "reason"};
  return read_request<api_moderation>(
    body, [kind](const dom::object& object, const padded_string&, complaint& wrong) {
      const api_fields given{object, known, wrong};
      moderation_wish wish{.key = {.kind = kind}};
      read_subject(given, wish.key, wrong);
      read_scope(given, wish.key, wrong);
      read_terms(given, wish, wrong);
      return api_moderation{std::move(wish)};
    });
}

api_parsed<api_moderation> parse_lift(std::string_view body, act_kind kind) {
  static constexpr std::array<names, 4> known{"user", "address", "channel", "namespace"};
  return read_request<api_moderation>(
    body, [kind](const dom::object& object, const padded_string&, complaint& wrong) {
      const api_fields given{object, known, wrong};
      moderation_wish wish{.key = {.kind = kind}, .is_lifted = true};
      read_subject(given, wish.key, wrong);
      read_scope(given, wish.key, wrong);
      return api_moderation{std::move(wish)};
    });
}

std::optional<act_kind> kind_of(const std::string& text, complaint& wrong) {
  if (text == "ban")
    return act_kind::ban;
  if (text == "mute")
    return act_kind::mute;
  if (text == "lockdown")
    return act_kind::lockdown;
  if (!text.empty())
    wrong.refuse("'act' has to be one of ban, mute, lockdown");
  return std::nullopt;
}

} // namespace

api_parsed<api_moderation> parse_ban(std::string_view body) {
  return parse_act(body, act_kind::ban);
}

api_parsed<api_moderation> parse_unban(std::string_view body) {
  return parse_lift(body, act_kind::ban);
}

api_parsed<api_moderation> parse_mute(std::string_view body) {
  return parse_act(body, act_kind::mute);
}

api_parsed<api_moderation> parse_unmute(std::string_view body) {
  return parse_lift(body, act_kind::mute);
}

api_parsed<api_moderation> parse_lockdown(std::string_view body) {
  static constexpr std::array<names, 5> known{"channel", "namespace", "on", "ttl", "reason"};
  return read_request<api_moderation>(
    body, [](const dom::object& object, const padded_string&, complaint& wrong) {
      const api_fields given{object, known, wrong};
      moderation_wish wish{.key = {.kind = act_kind::lockdown, .target = act_target::all}};
      read_scope(given, wish.key, wrong);
      if (!given.present("on"))
        wrong.refuse("'on' is missing");
      wish.is_lifted = !given.flag("on");
      read_terms(given, wish, wrong);
      return api_moderation{std::move(wish)};
    });
}

api_parsed<api_acts> parse_acts(std::string_view body) {
  static constexpr std::array<names, 6> known{"act",       "user",  "channel",
                                              "namespace", "limit", "after"};
  return read_request<api_acts>(
    body, [](const dom::object& object, const padded_string&, complaint& wrong) {
      const api_fields given{object, known, wrong};
      act_key of;
      read_scope(given, of, wrong);
      api_acts request{{.kind = kind_of(given.text("act"), wrong),
                        .user = given.text("user"),
                        .place = of.place,
                        .after = given.text("after")}};
      const auto limit = given.number("limit").value_or(max_api_acts);
      if (limit < 1 || limit > max_api_acts)
        wrong.refuse(fmt::format("'limit' has to be from 1 to {}", max_api_acts));
      else
        request.wanted.limit = static_cast<std::size_t>(limit);
      return request;
    });
}

} // namespace canang::admin
