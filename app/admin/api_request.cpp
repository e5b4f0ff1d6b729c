#include "app/admin/api_request.hpp"

#include "app/admin/api_json.hpp"
#include "app/admin/api_request_fields.hpp"
#include "cluster/publication.hpp"
#include "net/base64.hpp"
#include "net/http/target.hpp"
#include "net/limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace canang::admin {

namespace {

namespace dom = simdjson::dom;

using simdjson::padded_string;
using names = std::string_view;

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
    if (auto bytes = net::decode_base64(coded))
      into.data = std::move(*bytes);
    else
      wrong.refuse("'b64data' is not base64");
    return;
  }
  into.data = raw_field(body, "data");
  if (into.data.empty())
    wrong.unreadable("'data' cannot be read");
}

void read_tags(const dom::object& tags, api_content& into, complaint& wrong) {
  for (const auto field : tags) {
    const auto name = field.key;
    std::string_view text;
    if (field.value.get(text) != simdjson::SUCCESS) {
      wrong.unreadable("'tags' has to be an object of strings");
      return;
    }
    const bool is_second = std::any_of(into.tags.begin(), into.tags.end(),
                                       [&](const auto& tag) { return tag.first == name; });
    if (is_second || into.tags.size() == cluster::max_tags || name.empty()
        || name.size() > cluster::max_tag_name_bytes
        || text.size() > cluster::max_tag_value_bytes) {
      wrong.refuse(fmt::format("'tags' has to be up to {} different names of 1 to {} bytes with "
                               "values of up to {}",
                               cluster::max_tags, cluster::max_tag_name_bytes,
                               cluster::max_tag_value_bytes));
      return;
    }
    into.tags.emplace_back(name, text);
  }
}

/// Whether members are told it as what it changes is up to the room's settings and to them, so `delta` is only read.
api_content content_of(const api_fields& given, const padded_string& body, complaint& wrong) {
  api_content content{.data = {},
                      .idempotency_key = given.text("idempotency_key"),
                      .skip_history = given.flag("skip_history")};
  (void)given.flag("delta");
  if (content.idempotency_key.size() > max_api_key_bytes)
    wrong.refuse(fmt::format("'idempotency_key' is longer than {} bytes", max_api_key_bytes));
  if (const auto tags = given.object("tags"))
    read_tags(*tags, content, wrong);
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

std::size_t api_content::size() const noexcept {
  auto bytes = data.size();
  for (const auto& [name, value] : tags)
    bytes += name.size() + value.size();
  return bytes;
}

std::string_view fault_of_channel(std::string_view name) noexcept {
  if (name.empty())
    return "'channel' is missing";
  if (!net::is_room_name(name))
    return "'channel' has to be 1 to 255 bytes without control characters and not . or ..";
  return {};
}

std::string room_of(const api_fields& given, complaint& wrong) {
  auto name = given.text("channel");
  if (const auto fault = fault_of_channel(name); !fault.empty())
    wrong.refuse(fault);
  return name;
}

/// `since` of a request.
api_position since_of(const dom::object& where, complaint& wrong) {
  static constexpr std::array<names, 2> known{"offset", "epoch"};
  const api_fields said{where, known, wrong};
  const auto offset = said.number("offset").value_or(0);
  api_position since{.offset = static_cast<std::uint64_t>(offset), .epoch = said.text("epoch")};
  if (offset < 0)
    wrong.refuse("'offset' is negative");
  if (since.epoch.empty())
    wrong.refuse("'since' has no 'epoch'");
  return since;
}

api_parsed<api_publish> parse_publish(std::string_view body) {
  static constexpr std::array<names, 7> known{"channel",      "data", "b64data", "idempotency_key",
                                              "skip_history", "tags", "delta"};
  return read_request<api_publish>(
    body, [](const dom::object& object, const padded_string& text, complaint& wrong) {
      const api_fields given{object, known, wrong};
      auto channel = room_of(given, wrong);
      return api_publish{.channel = std::move(channel), .content = content_of(given, text, wrong)};
    });
}

api_parsed<api_broadcast> parse_broadcast(std::string_view body) {
  static constexpr std::array<names, 7> known{"channels",     "data", "b64data", "idempotency_key",
                                              "skip_history", "tags", "delta"};
  return read_request<api_broadcast>(
    body, [](const dom::object& object, const padded_string& text, complaint& wrong) {
      const api_fields given{object, known, wrong};
      auto channels = channels_of(given, wrong);
      api_broadcast request{.channels = std::move(channels),
                            .content = content_of(given, text, wrong)};
      if (request.channels.size() * request.content.size() > max_api_payload_bytes)
        wrong.refuse(fmt::format("'data' and 'tags' for all 'channels' are more than {} bytes",
                                 max_api_payload_bytes));
      return request;
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

api_parsed<api_history_remove> parse_history_remove(std::string_view body) {
  return parse_channel<api_history_remove>(body);
}

api_parsed<api_channels> parse_channels(std::string_view body) {
  static constexpr std::array<names, 1> known{"pattern"};
  return read_request<api_channels>(
    body, [](const dom::object& object, const padded_string&, complaint& wrong) {
      api_channels request{.pattern = api_fields{object, known, wrong}.text("pattern")};
      if (request.pattern.size() > net::max_room_name_bytes)
        wrong.refuse(fmt::format("'pattern' is longer than {} bytes", net::max_room_name_bytes));
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
