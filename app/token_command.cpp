#include "app/token_command.hpp"

#include "app/bounded_file.hpp"
#include "app/token_check.hpp"
#include "app/units.hpp"
#include "base/unix_time.hpp"
#include "net/auth/signing_key.hpp"
#include "net/auth/token_claims.hpp"
#include "net/auth/token_limits.hpp"
#include "net/http/target.hpp"
#include "net/json.hpp"
#include "net/json_cursor.hpp"
#include "net/log_text.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace canang::app {

namespace {

/// In one line, for standard error.
struct cannot_mint : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::optional<net::token_algorithm> wanted_algorithm(const token_order& order) {
  if (order.algorithm.empty())
    return std::nullopt;
  const auto algorithm = net::algorithm_of(order.algorithm);
  if (!algorithm)
    throw cannot_mint{"--algorithm: there is no algorithm of that name"};
  return algorithm;
}

net::signing_key key_for(const token_order& order, const token_options& options) {
  const auto algorithm = wanted_algorithm(order);
  if (order.key_file.empty() && options.signing_secret.empty())
    throw cannot_mint{"there is nothing to sign with: neither --key nor --token-hmac-secret"};
  if (order.key_file.empty()) {
    auto key = net::signing_key::of_secret(
      options.signing_secret, algorithm.value_or(net::token_algorithm::hs256), order.key_id);
    if (!key)
      throw cannot_mint{"--algorithm: the key is a secret, for HS256, HS384 and HS512"};
    return std::move(*key);
  }
  const auto pem = read_bounded_file(order.key_file, net::max_key_set_bytes);
  if (!pem)
    throw cannot_mint{"--key: the file cannot be read"};
  auto key = net::signing_key::of_pem(*pem, algorithm, order.key_id);
  if (!key)
    throw cannot_mint{
      "--key: it is no private key in PEM without a password that takes the algorithm"};
  return std::move(*key);
}

/// Writes the claims, each with its name.
class claims_writer {
public:
  void add(std::string_view name, std::string_view json) {
    json_ += json_.empty() ? '{' : ',';
    net::append_json_string(json_, name);
    json_.append(":").append(json);
  }

  void add_text(std::string_view name, const std::string& text) {
    if (!text.empty())
      add(name, net::json_string(text));
  }

  [[nodiscard]] std::string end() && { return std::move(json_) + '}'; }

private:
  std::string json_;
};

std::string list_of(const std::vector<std::string>& texts) {
  std::string json;
  for (const auto& text : texts)
    json += (json.empty() ? "[" : ",") + net::json_string(text);
  return json + ']';
}

std::string grant_of(const std::string& pattern, const std::vector<std::string>& allow) {
  const bool is_wild = pattern.find('*') != std::string::npos;
  return R"({"channels":)" + list_of({pattern}) + (is_wild ? R"(,"match":"wildcard")" : "")
         + R"(,"allow":)" + list_of(allow) + '}';
}

std::string grants_of(const token_order& order) {
  const auto allow = order.allow.empty() ? std::vector<std::string>{"sub", "pub"} : order.allow;
  std::string json;
  for (const auto& pattern : order.rooms)
    json += (json.empty() ? "[" : ",") + grant_of(pattern, allow);
  return json + ']';
}

std::string claims_of(const token_order& order, const net::token_rules& rules) {
  claims_writer claims;
  const auto now = unix_s();
  claims.add("iat", std::to_string(now));
  claims.add(
    "exp",
    std::to_string(now + std::chrono::duration_cast<std::chrono::seconds>(order.expires).count()));
  claims.add_text("sub", order.user);
  claims.add_text("channel", order.channel);
  if (!order.rooms.empty())
    claims.add("caps", grants_of(order));
  if (!order.info.empty())
    claims.add("info", order.info);
  if (order.audiences.size() > 1)
    claims.add("aud", list_of(order.audiences));
  else if (!order.audiences.empty() || !rules.audiences.empty())
    claims.add_text("aud", order.audiences.empty() ? rules.audiences[0] : order.audiences[0]);
  claims.add_text("iss", order.issuer.empty() ? rules.issuer : order.issuer);
  return std::move(claims).end();
}

bool is_json(std::string_view text) {
  net::json_cursor reads{text, net::max_token_depth};
  (void)reads.value();
  return reads.is_done();
}

/// What the server would refuse is not minted.
void check_order(const token_order& order) {
  if (!order.user.empty() && !net::is_user_name(order.user))
    throw cannot_mint{"--user: a user is 1 to 255 bytes of UTF-8 without control characters"};
  for (const auto& room : order.rooms)
    if (!net::is_room_name(room))
      throw cannot_mint{"--room: this is no name of a room, nor a pattern of such"};
  if (!order.channel.empty() && !net::is_room_name(order.channel))
    throw cannot_mint{"--channel: this is no name of a room"};
  if (!order.info.empty() && (!is_json(order.info) || order.info.size() > net::max_info_bytes))
    throw cannot_mint{"--info has to be JSON of 4 KiB at most"};
  if (!order.allow.empty() && order.rooms.empty())
    throw cannot_mint{"--allow says what --room grants, and there is none"};
}

std::string mint(const token_order& order, const token_options& options) {
  check_order(order);
  const auto key = key_for(order, options);
  const auto claims = claims_of(order, options.rules);
  if (!net::parse_claims(claims))
    throw cannot_mint{"the claims are too many, too long or not UTF-8"};
  auto token = net::sign_token(claims, key);
  if (token.empty() || token.size() > net::max_token_bytes)
    throw cannot_mint{"the token is longer than 8 KiB"};
  return token;
}

} // namespace

void add_token_command_options(CLI::App& command, token_order& into) {
  const auto add = [&command](const char* flag, auto& field, const char* help) {
    return command.add_option(flag, field, help)->type_name("")->group("Token");
  };
  command.fallthrough(); // the keys are the server's options
  add("--user", into.user, "whose token it is (sub)");
  add("--room", into.rooms, "rooms that it grants, with * for any text (caps); repeatable")
    ->allow_extra_args(false);
  add("--allow", into.allow, "what it grants there: sub, pub, prs, hst; by default sub,pub")
    ->delimiter(',')
    ->allow_extra_args(false)
    ->check(CLI::IsMember({"sub", "pub", "prs", "hst"}));
  add("--channel", into.channel, "the room, where it is a token to subscribe with");
  add("--info", into.info, "JSON that the members of a room are told");
  add("--audience", into.audiences, "by default the first --token-audience; repeatable")
    ->allow_extra_args(false);
  add("--issuer", into.issuer, "by default --token-issuer");
  add("--key", into.key_file, "PEM file with the private key; by default the HMAC secret");
  add("--kid", into.key_id, "the key's name in the header");
  add("--algorithm", into.algorithm, "such as RS512; by default the first of the key's kind");
  add("--check", into.check, "print what this token says, and whether it holds; - reads it")
    ->excludes(command.get_option("--user"));
  command
    .add_option_function<std::string>(
      "--expires",
      [&into](const std::string& text) {
        const auto time = parse_duration(text);
        if (!time || *time < std::chrono::seconds{1})
          throw CLI::ValidationError("--expires", "expected a duration such as 1h");
        into.expires = *time;
      },
      "after this it does not count any more; by default 1h")
    ->type_name("")
    ->group("Token");
}

int run_token_command(const token_order& order, const token_options& options) {
  if (!order.check.empty())
    return check_and_print(order.check, options);
  try {
    std::cout << mint(order, options) << std::endl;
    return std::cout ? 0 : 1;
  } catch (const cannot_mint& fault) {
    std::cerr << "canang: " << net::log_line(fault.what()) << '\n';
    return 1;
  }
}

} // namespace canang::app
