// The body of a request to the server API, whatever its method: whatever is taken is within its limits, and its data is
// JSON again.

#include "app/admin/api_request.hpp"

#include "app/admin/api_batch_request.hpp"
#include "app/admin/api_moderation.hpp"
#include "net/base64.hpp"
#include "net/http/target.hpp"
#include "net/json.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace {

using namespace canang::admin;
using canang::fuzz::require;

void look_at_fault(const api_error& error) {
  require(error.status == 200 || error.status == 400, "it has a status");
  require(!error.message.empty(), "a refusal says why");
  require(!to_json(error).empty(), "and can be told");
}

void look_at_content(const api_content& content, std::size_t body_bytes) {
  require(content.idempotency_key.size() <= max_api_key_bytes, "the key is not too long");
  require(!content.data.empty() && content.data.size() <= body_bytes, "there is data");
  if (content.is_binary) {
    std::string coded;
    canang::net::append_base64(coded, content.data);
    require(canang::net::decode_base64(coded) == content.data, "bytes come back");
    return;
  }
  const auto again = parse_publish(R"({"channel":"r","data":)" + content.data + "}");
  const auto* const same = std::get_if<api_publish>(&again);
  require(same != nullptr && same->content.data == content.data,
          "the data is JSON, and stays as it is");
}

void look_at_target(const api_target& whom) {
  require(whom.user.empty() ? !whom.client.empty() : canang::net::is_user_name(whom.user),
          "somebody is meant");
  require(whom.client.size() <= max_api_client_bytes, "the connection has a name");
}

/// Each command looks at itself.
struct look {
  std::size_t body_bytes;

  void operator()(const api_info& /*request*/) const {}
  void operator()(const api_publish& request) const {
    require(canang::net::is_room_name(request.channel), "the channel is a room's name");
    look_at_content(request.content, body_bytes);
  }
  void operator()(const api_broadcast& request) const {
    require(!request.channels.empty() && request.channels.size() <= max_api_publishes,
            "so many channels");
    look_at_content(request.content, body_bytes);
  }
  void operator()(const api_disconnect& request) const {
    look_at_target(request.whom);
    require(request.spared.size() <= max_api_spared, "so many are spared");
    require(request.code >= 3000 && request.code <= 4999, "a code that may be sent");
    require(request.reason.size() <= 123, "a reason that fits into a close frame");
  }
  void operator()(const api_subscribe& request) const {
    look_at_target(request.whom);
    require(canang::net::is_room_name(request.channel), "the channel is a room's name");
    require(!request.since || !request.since->epoch.empty(), "a position has an epoch");
  }
  void operator()(const api_unsubscribe& request) const {
    look_at_target(request.whom);
    require(canang::net::is_room_name(request.channel), "the channel is a room's name");
  }
  void operator()(const api_refresh& request) const { (*this)(request.end); }
  void operator()(const api_presence& request) const {
    require(canang::net::is_room_name(request.channel), "the channel is a room's name");
  }
  void operator()(const api_presence_stats& request) const {
    require(canang::net::is_room_name(request.channel), "the channel is a room's name");
  }
  void operator()(const api_channels& request) const {
    require(request.pattern.size() <= 255, "a pattern is no longer than a name");
  }
  void operator()(const api_history_remove& request) const {
    require(canang::net::is_room_name(request.channel), "the channel is a room's name");
  }
  void operator()(const api_moderation& request) const {
    using namespace canang::cluster;
    const auto& wish = request.wish;
    require(is_valid(wish.key), "an order is about something that can be");
    require(read_act_key(to_text(wish.key)) == wish.key, "and is known by its text");
    require(is_act_reason(wish.reason) && wish.lasts >= wish.lasts.zero()
              && wish.lasts <= max_act_time,
            "within its limits");
    require(canang::admin::log_line_of(wish).find('\n') == std::string::npos,
            "one line in the log");
  }
  void operator()(const api_acts& request) const {
    require(request.wanted.limit >= 1 && request.wanted.limit <= max_api_acts, "a page has an end");
  }
  void operator()(const api_history& request) const {
    require(canang::net::is_room_name(request.channel), "the channel is a room's name");
    require(!request.since || !request.since->epoch.empty(), "a position has an epoch");
  }
};

void look_at_batch(std::string_view body) {
  const auto parsed = parse_batch(body);
  if (const auto* const error = std::get_if<api_error>(&parsed)) {
    look_at_fault(*error);
    return;
  }
  api_weight all;
  for (const auto& [method, command] : std::get<api_batch>(parsed).commands) {
    if (const auto* const error = std::get_if<api_error>(&command)) {
      look_at_fault(*error);
      require(error->status == 200 && method.empty(), "one that cannot be done, not read");
      continue;
    }
    const auto& wanted = std::get<api_command>(command);
    std::visit(look{body.size()}, wanted);
    require(!method.empty(), "it says what it is");
    const auto one = weight_of(wanted);
    all.publishes += one.publishes;
    all.bytes += one.bytes;
  }
  require(all.publishes <= max_api_publishes && all.bytes <= max_api_payload_bytes,
          "it publishes within its limits");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body{reinterpret_cast<const char*>(data), size};
  for (const auto& method : api_methods()) {
    const auto parsed = method.read(body);
    if (const auto* const error = std::get_if<api_error>(&parsed))
      look_at_fault(*error);
    else
      std::visit(look{body.size()}, std::get<api_command>(parsed));
  }
  look_at_batch(body);
  return 0;
}
