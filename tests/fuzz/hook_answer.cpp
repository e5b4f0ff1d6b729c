// What the operator's program answers, to any question: what is taken of it is within its limits, and can be told on.

#include "net/hooks/hook_answer.hpp"

#include "net/auth/token_limits.hpp"
#include "net/http/target.hpp"
#include "net/json_cursor.hpp"
#include "net/utf8.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <algorithm>
#include <string_view>
#include <variant>

namespace {

using namespace canang::net;
using canang::fuzz::require;

bool is_json(std::string_view text) {
  json_cursor reads{text, max_hook_depth};
  (void)reads.value();
  return reads.is_done() && is_utf8(text);
}

void look_at(const hook_result& result, hook_kind what) {
  require(result.user.empty() || is_user_name(result.user), "a user has a name");
  require(!result.expires_at || (*result.expires_at > 0 && *result.expires_at <= max_numeric_date),
          "an end is a date");
  require(result.info.empty() || (result.info.size() <= max_info_bytes && is_json(result.info)),
          "info is JSON, and short");
  require(result.meta.empty() || (result.meta.size() <= max_info_bytes && is_json(result.meta)),
          "so is meta");
  require(result.rooms.size() <= max_token_rooms
            && std::all_of(result.rooms.begin(), result.rooms.end(),
                           [](const auto& room) { return is_room_name(room); }),
          "rooms are few, and have names");
  require(result.grants.size() <= max_token_grants, "grants are few");
  if (what != hook_kind::connect)
    require(result.user.empty() && result.rooms.empty() && result.grants.empty(),
            "who a client is comes with connect");
  if (what != hook_kind::connect && what != hook_kind::refresh)
    require(result.meta.empty(), "what comes with questions is of connect and refresh");
  if (what == hook_kind::refresh)
    require(result.is_expired || result.expires_at, "a client stays for a time");
  if (!result.data)
    return;
  require(!result.data->bytes.empty() && result.data->bytes.size() <= max_hook_answer_bytes,
          "data is something, and no longer than the answer");
  require(result.data->type == frame_type::binary || is_utf8(result.data->bytes), "text is UTF-8");
}

void look_at(const hook_refusal& refusal) {
  if (refusal.is_disconnect)
    require(refusal.code >= 3000 && refusal.code < 5000
              && refusal.text.size() <= max_hook_reason_bytes,
            "a close frame has room for it");
  else
    require(refusal.code >= 100, "an error has a code that is not of clients");
  require(is_utf8(refusal.text), "what is told is UTF-8");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  canang::fuzz::input in{data, size};
  const auto what = static_cast<hook_kind>(in.byte() % 6U);
  const auto body = canang::fuzz::text_of(in.all(max_hook_answer_bytes));
  const auto read = parse_hook_answer(what, body);
  if (const auto* const result = std::get_if<hook_result>(&read))
    look_at(*result, what);
  else if (const auto* const refusal = std::get_if<hook_refusal>(&read))
    look_at(*refusal);
  else
    require(!std::get<bad_hook_answer>(read).empty(), "a refusal says why");
  return 0;
}
