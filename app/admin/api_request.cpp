#include "app/admin/api_request.hpp"

#include "app/admin/api_json.hpp"
#include "app/admin/base64.hpp"
#include "net/close_code.hpp"
#include "net/http/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace canang::admin {

namespace {

namespace dom = simdjson::dom;

using simdjson::padded_string;
using names = std::string_view;

constexpr std::uint16_t force_reconnect = 3011; // the code of Centrifugo's disconnect
constexpr std::int64_t min_code = 3000;
constexpr std::int64_t max_code = 4999;
constexpr std::size_t max_reason_bytes = 123; // RFC 6455, 5.5

std::string room_of(const api_fields& given, complaint& wrong) {
  auto name = given.text("channel");
  if (const auto fault = fault_of_channel(name); !fault.empty())
    wrong.refuse(fault);
  return name;
}

std::string user_of(const api_fields& given, complaint& wrong) {
  auto name = given.text("user");
  if (name.empty())
    wrong.refuse("'user' is missing");
  else if (!net::is_user_name(name))
    wrong.refuse("'user' has to be 1 to 255 bytes without control characters");
  return name;
}

/// `data` or `b64data`, whichever is there; a `data` of null beside `b64data` is not.
void read_data(const api_fields& given, const padded_string& body, api_content& into,
               complaint& wrong) {
  const auto coded = given.text("b64data");
  into.is_binary = !coded.empty();
  if (into.is_binary && given.present("data"))
    wrong.refuse("'data' and 'b64data' are both there");
  if (!into.is_binary && !given.has("data"))
    wrong.refuse("'data' is missing, or 'b64data'");
  if (wrong.is_made())
    return;
  if (into.is_binary) {
    if (auto bytes = decode_base64(coded))
      into.data = std::move(*bytes);
    else
      wrong.refuse("'b64data' is not base64");
    return;
  }
  into.data = raw_field(body, "data");
  if (into.data.empty())
    wrong.unreadable("'data' cannot be read");
}

/// Whether members are told it as what it changes is up to the room's settings and to them, so `delta` is only read.
api_content content_of(const api_fields& given, const padded_string& body, complaint& wrong) {
  api_content content{.data = {},
                      .idempotency_key = given.text("idempotency_key"),
                      .skip_history = given.flag("skip_history")};
  (void)given.flag("delta");
  if (content.idempotency_key.size() > max_api_key_bytes)
    wrong.refuse(fmt::format("'idempotency_key' is longer than {} bytes", max_api_key_bytes));
  read_data(given, body, content, wrong);
  return content;
}

std::vector<std::string> channels_of(const api_fields& given, complaint& wrong) {
  std::vector<std::string> channels;
  const auto named = given.array("channels");
  if (!named || named->size() == 0)
    wrong.refuse("'channels' is missing");
  else if (named->size() > max_api_publishes)
    wrong.refuse(fmt::format("'channels' has more than {} names", max_api_publishes));
  if (wrong.is_made())
    return channels;
  channels.reserve(named->size());
  for (const auto one : *named) {
    std::string_view name;
    if (one.get(name) != simdjson::SUCCESS)
      wrong.unreadable("'channels' has to be an array of strings");
    channels.emplace_back(name);
  }
  return channels;
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

/// `since` of a request.
api_history::since_position since_of(const dom::object& where, complaint& wrong) {
  static constexpr std::array<names, 2> known{"offset", "epoch"};
  const api_fields said{where, known, wrong};
  const auto offset = said.number("offset").value_or(0);
  api_history::since_position since{.offset = static_cast<std::uint64_t>(offset),
                                    .epoch = said.text("epoch")};
  if (offset < 0)
    wrong.refuse("'offset' is negative");
  if (since.epoch.empty())
    wrong.refuse("'since' has no 'epoch'");
  return since;
}

/// A body with nothing but a channel.
template <class Request>
api_parsed<Request> parse_channel(std::string_view body) {
  static constexpr std::array<names, 1> known{"channel"};
  return read_request<Request>(
    body, [](const dom::object& object, const padded_string&, complaint& wrong) {
      return Request{.channel = room_of(api_fields{object, known, wrong}, wrong)};
    });
}

} // namespace

std::string_view fault_of_channel(std::string_view name) noexcept {
  if (name.empty())
    return "'channel' is missing";
  if (!net::is_room_name(name))
    return "'channel' has to be 1 to 255 bytes without control characters and not . or ..";
  return {};
}

api_parsed<api_publish> parse_publish(std::string_view body) {
  static constexpr std::array<names, 6> known{"channel",         "data",         "b64data",
                                              "idempotency_key", "skip_history", "delta"};
  return read_request<api_publish>(
    body, [](const dom::object& object, const padded_string& text, complaint& wrong) {
      const api_fields given{object, known, wrong};
      auto channel = room_of(given, wrong);
      return api_publish{.channel = std::move(channel), .content = content_of(given, text, wrong)};
    });
}

api_parsed<api_broadcast> parse_broadcast(std::string_view body) {
  static constexpr std::array<names, 6> known{"channels",        "data",         "b64data",
                                              "idempotency_key", "skip_history", "delta"};
  return read_request<api_broadcast>(
    body, [](const dom::object& object, const padded_string& text, complaint& wrong) {
      const api_fields given{object, known, wrong};
      auto channels = channels_of(given, wrong);
      api_broadcast request{.channels = std::move(channels),
                            .content = content_of(given, text, wrong)};
      if (request.channels.size() * request.content.data.size() > max_api_payload_bytes)
        wrong.refuse(
          fmt::format("'data' for all 'channels' is more than {} bytes", max_api_payload_bytes));
      return request;
    });
}

api_parsed<api_disconnect> parse_disconnect(std::string_view body) {
  static constexpr std::array<names, 2> known{"user", "disconnect"};
  return read_request<api_disconnect>(
    body, [](const dom::object& object, const padded_string&, complaint& wrong) {
      const api_fields given{object, known, wrong};
      api_disconnect request{.user = user_of(given, wrong), .code = net::force_disconnect};
      if (const auto how = given.object("disconnect"))
        read_how(*how, request, wrong);
      if (request.reason.empty())
        request.reason = usual_reason(request.code);
      return request;
    });
}

api_parsed<api_unsubscribe> parse_unsubscribe(std::string_view body) {
  static constexpr std::array<names, 2> known{"user", "channel"};
  return read_request<api_unsubscribe>(
    body, [](const dom::object& object, const padded_string&, complaint& wrong) {
      const api_fields given{object, known, wrong};
      return api_unsubscribe{.user = user_of(given, wrong), .channel = room_of(given, wrong)};
    });
}

api_parsed<api_presence> parse_presence(std::string_view body) {
  return parse_channel<api_presence>(body);
}

api_parsed<api_presence_stats> parse_presence_stats(std::string_view body) {
  return parse_channel<api_presence_stats>(body);
}

api_parsed<api_history> parse_history(std::string_view body) {
  static constexpr std::array<names, 4> known{"channel", "limit", "since", "reverse"};
  return read_request<api_history>(
    body, [](const dom::object& object, const padded_string&, complaint& wrong) {
      const api_fields given{object, known, wrong};
      api_history request{.channel = room_of(given, wrong)};
      const auto limit = given.number("limit").value_or(0);
      request.limit = limit < 0 ? api_history::no_limit : static_cast<std::size_t>(limit);
      request.is_reverse = given.flag("reverse");
      if (const auto since = given.object("since"))
        request.since = since_of(*since, wrong);
      return request;
    });
}

api_parsed<api_info> parse_info(std::string_view body) {
  return read_request<api_info>(
    body, [](const dom::object& object, const padded_string&, complaint& wrong) {
      const api_fields nothing{object, {}, wrong};
      return api_info{};
    });
}

} // namespace canang::admin
