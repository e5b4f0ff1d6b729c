#include "app/admin/api_results.hpp"

#include "actors/outgoing.hpp"
#include "app/admin/api_json.hpp"
#include "net/json.hpp"
#include "net/protocol/commands.hpp"

#include <fmt/format.h>

#include <simdjson.h>

#include <algorithm>
#include <set>

namespace canang::admin {

namespace {

namespace dom = simdjson::dom;

/// Of a publication's JSON, what is around its payload.
constexpr std::size_t message_overhead_bytes = 40;

/// What a publication's payload takes in JSON, about: six bytes of text may be needed for one, but rarely are.
std::size_t bytes_of(const cluster::publication& message) noexcept {
  const auto size = message.data.size();
  const bool is_coded = message.type == cluster::payload_type::binary;
  return (is_coded ? (size + 2) / 3 * 4 : size) + message_overhead_bytes
         + (message.notes ? actors::bytes_in_json(*message.notes) + message_overhead_bytes : 0);
}

/// What tells whether texts up to a length are JSON, by the rules for requests.
class json_test {
public:
  explicit json_test(std::size_t longest) {
    is_ready_ =
      parser_.allocate(std::max<std::size_t>(longest, 1), max_api_depth) == simdjson::SUCCESS;
  }

  [[nodiscard]] bool passes(std::string_view text) {
    return is_ready_ && parser_.parse(text.data(), text.size()).error() == simdjson::SUCCESS;
  }

private:
  dom::parser parser_;
  bool is_ready_ = false;
};

void append_data(std::string& json, const cluster::publication& message, json_test& test) {
  const bool is_text = message.type == cluster::payload_type::text
                       && simdjson::validate_utf8(message.data.data(), message.data.size());
  if (!is_text) {
    json += R"("data":null,"b64data":")";
    net::append_base64(json, message.data);
    json += '"';
    return;
  }
  json += R"("data":)";
  if (test.passes(message.data))
    json += message.data;
  else
    net::append_json_string(json, message.data);
}

void append_size(std::string& json, const cluster::publication& message) {
  json += fmt::format(R"("bytes":{},"binary":{})", message.data.size(),
                      message.type == cluster::payload_type::binary);
}

/// Infos are JSON, as their nodes have checked.
void append_member(std::string& json, const net::member_view& who) {
  json += R"({"user":)";
  net::append_json_string(json, who.user);
  json += R"(,"client":)";
  net::append_json_string(json, who.id);
  if (!who.info.empty())
    (json += R"(,"conn_info":)") += who.info;
  if (!who.room_info.empty())
    (json += R"(,"chan_info":)") += who.room_info;
  json += '}';
}

void append_notes(std::string& json, const cluster::publication_notes& notes, bool with_tags) {
  if (notes.author) {
    json += R"(,"info":)";
    const auto& author = *notes.author;
    append_member(json, {author.client, author.user, author.info, author.room_info});
  }
  if (with_tags && !notes.tags.empty()) {
    json += R"(,"tags":)";
    net::append_json_strings(json, notes.tags);
  }
}

std::string text_in(const dom::object& told, std::string_view name) {
  std::string_view text;
  return told[name].get(text) == simdjson::SUCCESS ? std::string{text} : std::string{};
}

std::uint64_t number_in(const dom::object& told, std::string_view name) {
  std::uint64_t number = 0;
  return told[name].get(number) == simdjson::SUCCESS ? number : 0;
}

std::string node_result(const dom::object& told, std::int64_t now_seconds) {
  const auto started = static_cast<std::int64_t>(number_in(told, "started"));
  const auto uptime = started == 0 ? 0 : std::max<std::int64_t>(now_seconds - started, 0);
  return fmt::format(
    R"({{"uid":{},"name":{},"version":{},"num_clients":{},"num_channels":{},"uptime":{}}})",
    net::json_string(text_in(told, "id")), net::json_string(text_in(told, "address")),
    net::json_string(text_in(told, "version")), number_in(told, "connections"),
    number_in(told, "rooms"), uptime);
}

} // namespace

std::string presence_result(const cluster::room_report& report) {
  std::string json = R"({"presence":{)";
  for (const auto& member : report.members) {
    if (&member != &report.members.front())
      json += ',';
    net::append_json_string(json, member.id);
    json += ':';
    append_member(json, {member.id, member.user, member.info, member.room_info});
  }
  return json + "}}";
}

std::string presence_stats_result(const cluster::room_report& report) {
  std::set<std::string_view> users;
  for (const auto& member : report.members)
    users.insert(member.user);
  return fmt::format(R"({{"num_clients":{},"num_users":{}}})", report.members.size(), users.size());
}

bool add_messages(history_result& to, std::span<const cluster::publication_ptr> publications) {
  for (const auto& message : publications) {
    if (message->kind != cluster::publication_kind::message)
      continue;
    const auto bytes = bytes_of(*message);
    const bool is_full =
      to.messages.size() == max_api_messages || to.bytes + bytes > max_api_history_bytes;
    if (is_full && !to.messages.empty()) // one is told in any case, or nobody would get on
      return false;
    to.messages.push_back(message);
    to.bytes += bytes;
  }
  return true;
}

std::string to_json(const history_result& result) {
  std::size_t longest = 0;
  for (const auto& message : result.messages)
    longest = std::max(longest, message->data.size());
  json_test test{longest};
  std::string json;
  json.reserve(result.bytes + 64);
  json += R"({"publications":[)";
  for (const auto& message : result.messages) {
    if (&message != &result.messages.front())
      json += ',';
    json += '{';
    if (result.is_bare)
      append_size(json, *message);
    else
      append_data(json, *message, test);
    if (message->notes)
      append_notes(json, *message->notes, !result.is_bare);
    json += fmt::format(R"(,"offset":{}}})", message->offset);
  }
  json += R"(],"epoch":)";
  net::append_json_string(json, result.top.epoch);
  json += fmt::format(R"(,"offset":{}}})", result.top.offset);
  return json;
}

void append_data(std::string& json, const cluster::publication& message) {
  json_test test{message.data.size()};
  append_data(json, message, test);
}

std::string info_result(std::span<const std::string> descriptions, std::int64_t now_seconds) {
  dom::parser parser;
  std::string json = R"({"nodes":[)";
  for (const auto& description : descriptions) {
    dom::object told;
    if (parser.parse(description).get(told) != simdjson::SUCCESS)
      continue; // of a release that tells of itself in another way
    if (json.back() != '[')
      json += ',';
    json += node_result(told, now_seconds);
  }
  return json + "]}";
}

} // namespace canang::admin
