#include "app/token_options.hpp"

#include "app/bounded_file.hpp"
#include "app/option_adder.hpp"
#include "net/auth/token_limits.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace canang::app {

namespace {

std::string read_keys(const std::string& flag, const std::string& path) {
  auto text = read_bounded_file(path, net::max_key_set_bytes);
  if (!text)
    refuse_option(flag, fmt::format("'{}' cannot be read, or is longer than 256 KiB", path));
  return std::move(*text);
}

void require_none(const std::string& flag, const std::string& path, const std::string& fault) {
  if (!fault.empty())
    refuse_option(flag, fmt::format("'{}': {}", path, fault));
}

void take_secret(const std::string& secret, token_options& into) {
  net::token_keys_builder builder;
  if (const auto fault = builder.add_secret(secret); !fault.empty())
    refuse_option("--token-hmac-secret", fault);
  into.secret = std::move(builder).build();
  into.signing_secret = secret;
}

/// One a line, so that the next one counts already while the last one is still in use; empty lines do not matter.
void take_secret_file(const std::string& path, token_options& into) {
  static const std::string flag = "--token-hmac-secret-file";
  const auto text = read_keys(flag, path);
  net::token_keys_builder builder;
  std::string first;
  for (std::string_view rest = text; !rest.empty();) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.ends_with('\r'))
      line.remove_suffix(1);
    if (line.empty())
      continue;
    require_none(flag, path, builder.add_secret(line));
    if (first.empty())
      first = line;
  }
  if (first.empty())
    refuse_option(flag, fmt::format("'{}' has no secret", path));
  into.secret_file = std::move(builder).build();
  into.has_files = true;
  if (into.signing_secret.empty())
    into.signing_secret = std::move(first);
}

void take_public_keys(const std::vector<std::string>& given, token_options& into) {
  static const std::string flag = "--token-public-key";
  net::token_keys_builder builder;
  for (const auto& path : split_list(given))
    require_none(flag, path, builder.add_pem(read_keys(flag, path)));
  into.public_keys = std::move(builder).build();
  into.has_files = true;
}

void take_jwks(const std::string& where, token_options& into) {
  static const std::string flag = "--token-jwks";
  if (looks_like_url(where)) {
    auto url = parse_jwks_url(where);
    if (const auto* const fault = std::get_if<std::string>(&url))
      refuse_option(flag, *fault);
    into.jwks = std::get<jwks_url>(std::move(url));
    return;
  }
  net::token_keys_builder builder;
  require_none(flag, where, builder.add_jwks(read_keys(flag, where)));
  into.jwks_file = std::move(builder).build();
  into.has_files = true;
}

void take_audiences(const std::vector<std::string>& given, std::vector<std::string>& into) {
  into = split_list(given);
  if (std::find(into.begin(), into.end(), "") != into.end())
    refuse_option("--token-audience", "there is an empty one");
}

/// Dates in tokens are compared in whole seconds.
std::optional<std::chrono::seconds> parse_leeway(const std::string& text) {
  constexpr std::chrono::minutes most{10};
  const auto time = parse_duration(text);
  if (!time || *time > most || time->count() % 1000 != 0)
    return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(*time);
}

} // namespace

net::token_keys token_options::keys() const {
  return secret.with(secret_file).with(public_keys).with(jwks_file);
}

void add_token_options(option_adder& adder, token_options& into) {
  adder.group("Tokens");
  adder.secret(
    "--token-hmac-secret", [&into](const std::string& secret) { take_secret(secret, into); },
    "secret of tokens that HS256, HS384 or HS512 signs");
  adder.secret(
    "--token-hmac-secret-file", [&into](const std::string& path) { take_secret_file(path, into); },
    "file with such secrets, one a line; read again on SIGHUP, like all files of keys");
  adder.list(
    "--token-public-key", [&into](const auto& given) { take_public_keys(given, into); }, "none",
    "PEM files with public keys of RSA, EC (P-256, P-384) or Ed25519");
  adder.secret(
    "--token-jwks", [&into](const std::string& where) { take_jwks(where, into); },
    "JWK Set with keys: a file, or an http(s) URL that is asked every 5 minutes");
  adder.add("--token-leeway", into.rules.leeway, parse_leeway,
            "a duration of whole seconds up to 10m", "5s",
            "how far the clocks of those who issue tokens may be off");
  adder.list(
    "--token-audience", [&into](const auto& given) { take_audiences(given, into.rules.audiences); },
    "any", "audiences of which a token's aud has to name one");
  adder.text("--token-issuer", into.rules.issuer, "any", "what a token's iss has to be");
}

} // namespace canang::app
