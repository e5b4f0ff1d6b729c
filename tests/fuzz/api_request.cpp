// The body of a request to the server API: whatever is taken is within its limits, and its data is JSON again.

#include "app/admin/api_request.hpp"

#include "net/http/target.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <string>
#include <string_view>

namespace {

using namespace canang::admin;
using canang::fuzz::require;

void look_at_fault(const api_error& error) {
  require(error.status == 200 || error.status == 400, "it has a status");
  require(!error.message.empty(), "a refusal says why");
  require(!to_json(error).empty(), "and can be told");
}

void look_at_publish(std::string_view body) {
  const auto parsed = parse_publish(body);
  if (const auto* const error = std::get_if<api_error>(&parsed)) {
    look_at_fault(*error);
    return;
  }
  const auto& request = std::get<api_publish>(parsed);
  require(canang::net::is_room_name(request.channel), "the channel is a room's name");
  require(request.idempotency_key.size() <= max_api_key_bytes, "the key is not too long");
  require(!request.data.empty() && request.data.size() <= body.size(), "there is data");
  const auto again = parse_publish(R"({"channel":"r","data":)" + request.data + "}");
  const auto* const same = std::get_if<api_publish>(&again);
  require(same != nullptr && same->data == request.data, "the data is JSON, and stays as it is");
}

void look_at_disconnect(std::string_view body) {
  const auto parsed = parse_disconnect(body);
  if (const auto* const error = std::get_if<api_error>(&parsed)) {
    look_at_fault(*error);
    return;
  }
  const auto& request = std::get<api_disconnect>(parsed);
  require(canang::net::is_user_name(request.user), "the user has a name");
  require(request.code >= 3000 && request.code <= 4999, "a code that may be sent");
  require(request.reason.size() <= 123, "a reason that fits into a close frame");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body{reinterpret_cast<const char*>(data), size};
  look_at_publish(body);
  look_at_disconnect(body);
  return 0;
}
