// Tokens: as they stand, and with a signature that holds around whatever header and payload.

#include "net/auth/token.hpp"

#include "net/auth/base64url.hpp"
#include "net/auth/token_limits.hpp"
#include "net/http/target.hpp"
#include "net/utf8.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace canang::net;
using canang::fuzz::require;

constexpr std::string_view secret = "a secret of the fuzzer's own";
constexpr std::chrono::system_clock::time_point now{std::chrono::seconds{1'800'000'000}};

const token_keys& keys() {
  static const auto made = [] {
    token_keys_builder builder;
    (void)builder.add_secret(secret);
    (void)builder.add_jwks(
      R"({"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k",
                   "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
    return std::move(builder).build();
  }();
  return made;
}

std::string signed_token(std::string_view header, std::string_view payload) {
  std::string token;
  append_base64url(token, header);
  token += '.';
  append_base64url(token, payload);
  const auto signature = hmac(token_algorithm::hs256, secret, token);
  token += '.';
  append_base64url(token, signature);
  return token;
}

void look_at(const token_claims& claims) {
  require(claims.user.empty() || is_user_name(claims.user), "a user has a name that users have");
  require(!claims.expires_at || std::abs(*claims.expires_at) <= max_numeric_date,
          "dates are bounded");
  require(claims.info.size() <= max_info_bytes && is_utf8(claims.info), "info is short UTF-8");
  require(claims.info.find('\n') == std::string::npos, "in one line");
  require(!claims.channel || is_room_name(*claims.channel), "the channel is a room");
  require(claims.rooms.size() <= max_token_rooms, "rooms are few");
  require(std::all_of(claims.rooms.begin(), claims.rooms.end(),
                      [](const auto& room) { return is_room_name(room); }),
          "rooms have names that rooms have");
  require(claims.grants.size() <= max_token_grants, "grants are few");
  for (const auto& grant : claims.grants) {
    require(is_room_name(grant.pattern), "patterns are not longer than names");
    (void)grant.covers("chat:a:b:a", token_grant::subscribe);
  }
}

void look_at(std::string_view token) {
  (void)is_costly(token);
  require(key_id_of(token).size() <= max_key_id_bytes, "a kid is short");
  const auto checked = check_token(token, keys(), {}, now);
  if (const auto* const claims = std::get_if<token_claims>(&checked))
    look_at(*claims);
  else
    require(!to_string(std::get<token_fault>(checked)).empty(), "a refusal says why");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  canang::fuzz::input in{data, size};
  const auto how = in.byte() % 3;
  const auto text = canang::fuzz::text_of(in.all(2 * max_token_bytes));
  if (how == 0) {
    look_at(text);
  } else if (how == 1) {
    look_at(signed_token(R"({"alg":"HS256"})", text));
  } else {
    const auto header = text.substr(0, text.find('\n'));
    look_at(signed_token(header, text.substr(std::min(text.size(), header.size() + 1))));
  }
  if (const auto bytes = decode_base64url(text)) {
    std::string again;
    append_base64url(again, *bytes);
    require(again == text, "what is decoded is written so");
  }
  return 0;
}
