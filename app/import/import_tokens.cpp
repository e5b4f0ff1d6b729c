#include "app/import/import_tokens.hpp"

#include "app/import/import_options.hpp"
#include "app/import/imported_values.hpp"
#include "app/jwks_url.hpp"
#include "net/auth/token_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace canang::app {

namespace {

constexpr std::string_view secret_file = "/etc/canang/token.secret";
constexpr std::string_view rsa_file = "/etc/canang/token-rsa.pem";
constexpr std::string_view ecdsa_file = "/etc/canang/token-ecdsa.pem";

/// All that may be said of tokens of connections, and apart from that of tokens of rooms.
constexpr std::array<std::string_view, 12> token_settings{
  "hmac_secret_key",
  "hmac_previous_secret_key",
  "hmac_previous_secret_key_valid_until",
  "rsa_public_key",
  "ecdsa_public_key",
  "jwks_public_endpoint",
  "audience",
  "audience_regex",
  "issuer",
  "issuer_regex",
  "user_id_claim",
  "insecure_skip_jwks_endpoint_safety_check"};

bool is_empty(const imported_key& key) {
  return key.what == imported_key::kind::text && key.text.empty();
}

/// Where Centrifugo had a key, nobody is let in here before there is one: a line names its file, without which
/// Canang does not start, or `anonymous` is no.
class token_import {
public:
  token_import(imported_keys& keys, toml_writer& out) : keys_(keys), out_(out) {}

  bool write() {
    write_keys();
    write_audience();
    write_issuer();
    write_room_tokens();
    return write_anonymous();
  }

private:
  /// What is empty is as if it were not there.
  const imported_key* take(std::string_view setting) {
    const auto v6 = fmt::format("client.token.{}", setting);
    const auto v5 = fmt::format("token_{}", setting);
    const auto* const key = keys_.take({v6, v5});
    if (key == nullptr || !is_empty(*key))
      return key;
    out_.note(fmt::format("{} is empty, which says nothing.", key->path));
    return nullptr;
  }

  void write_keys() {
    const auto* const secret = take("hmac_secret_key");
    const auto* const previous = take("hmac_previous_secret_key");
    const auto* const rsa = take("rsa_public_key");
    const auto* const ecdsa = take("ecdsa_public_key");
    const auto* const jwks = take("jwks_public_endpoint");
    const auto others = {secret, previous, rsa, ecdsa};
    had_keys_ = jwks != nullptr || std::any_of(others.begin(), others.end(), [](const auto* key) {
                  return key != nullptr;
                });
    if (jwks != nullptr) {
      write_jwks(*jwks);
      note_unused(others);
      return;
    }
    write_secrets(secret, previous);
    write_public_keys(rsa, ecdsa);
  }

  void note_unused(std::initializer_list<const imported_key*> others) {
    for (const auto* const key : others)
      if (key != nullptr)
        out_.note(fmt::format("{}: not in use there, as a key set was.", key->path));
  }

  /// What is asked for in the query may be a secret.
  void write_jwks(const imported_key& key) {
    const auto text = text_of(key).value_or("");
    const auto url = parse_jwks_url(text);
    if (std::holds_alternative<std::string>(url) || !is_writable(text)) {
      out_.note(
        fmt::format("{} is not an address that Canang can ask (templates are none): give it "
                    "another in token-jwks.",
                    key.path));
    } else if (text.find('?') != std::string::npos) {
      out_.note(fmt::format("{} has a query, which may be a secret, and is not shown: give it as "
                            "CANANG_TOKEN_JWKS.",
                            key.path));
    } else {
      out_.line("token-jwks", toml_text(text), key.path);
      has_key_line_ = true;
    }
  }

  void write_secrets(const imported_key* secret, const imported_key* previous) {
    std::string from;
    bool all_fit = true;
    for (const auto* const key : {secret, previous}) {
      if (key == nullptr)
        continue;
      from.append(from.empty() ? "" : ", ").append(key->path);
      const auto text = text_of(*key).value_or("");
      all_fit = all_fit && text.find_first_of("\r\n") == std::string::npos
                && net::token_keys_builder{}.add_secret(text).empty();
    }
    if (from.empty())
      return;
    out_.note(
      fmt::format("{}: not shown. Write {} into this file, one a line, that only Canang can "
                  "read; it does not start without.",
                  from, all_fit ? "them" : "others (16 to 1024 bytes without a line end)"));
    out_.line("token-hmac-secret-file", toml_text(secret_file), from);
    has_key_line_ = true;
  }

  void write_public_keys(const imported_key* rsa, const imported_key* ecdsa) {
    std::vector<std::string> files;
    std::string from;
    const auto take_key = [&](const imported_key* key, std::string_view file) {
      if (key == nullptr)
        return;
      if (!net::token_keys_builder{}.add_pem(text_of(*key).value_or("")).empty()) {
        out_.note(fmt::format("{} is no key that Canang takes: PEM, RSA of 2048 to 8192 bits, EC "
                              "P-256 or P-384.",
                              key->path));
        return;
      }
      out_.note(fmt::format("{}: write it into {}, as it is; Canang does not start without.",
                            key->path, file));
      files.emplace_back(file);
      from.append(from.empty() ? "" : ", ").append(key->path);
    };
    take_key(rsa, rsa_file);
    take_key(ecdsa, ecdsa_file);
    if (files.empty())
      return;
    out_.list("token-public-key", files, from);
    has_key_line_ = true;
  }

  void write_audience() {
    const auto* const key = take("audience");
    if (key == nullptr)
      return;
    const auto text = text_of(*key);
    if (!text || !is_writable(*text) || text->find(',') != std::string::npos)
      return note_unchecked(*key, "token-audience");
    out_.line("token-audience", toml_text(*text), key->path);
  }

  void write_issuer() {
    const auto* const key = take("issuer");
    if (key == nullptr)
      return;
    const auto text = text_of(*key);
    if (!text || !is_writable(*text))
      return note_unchecked(*key, "token-issuer");
    out_.line("token-issuer", toml_text(*text), key->path);
  }

  void note_unchecked(const imported_key& key, std::string_view option) {
    out_.note(fmt::format("{} is none that Canang can ask for: without {} tokens for others count, "
                          "too.",
                          key.path, option));
  }

  /// One key that is not null, without taking it.
  [[nodiscard]] const imported_key* find(std::string_view v6, std::string_view v5) const {
    for (const auto name : {v6, v5})
      for (const auto& key : keys_.all())
        if (key.name == name && key.what != imported_key::kind::nothing)
          return &key;
    return nullptr;
  }

  [[nodiscard]] std::string text_at(std::string_view v6, std::string_view v5) const {
    const auto* const key = find(v6, v5);
    return key != nullptr ? key->text : std::string{};
  }

  void write_room_tokens() {
    const auto* const key =
      keys_.take({"client.subscription_token.enabled", "separate_subscription_token_config"});
    if (key == nullptr)
      return;
    if (!flag_of(*key).value_or(true))
      return out_.note(fmt::format("{}: the same keys check tokens of rooms, as here.", key->path));
    const bool are_equal =
      std::all_of(token_settings.begin(), token_settings.end(), [this](std::string_view setting) {
        return text_at(fmt::format("client.token.{}", setting), fmt::format("token_{}", setting))
               == text_at(fmt::format("client.subscription_token.{}", setting),
                          fmt::format("subscription_token_{}", setting));
      });
    out_.note(
      are_equal
        ? fmt::format("{}: tokens of rooms have the keys of the others, as here.", key->path)
        : fmt::format("{}: Canang checks tokens of rooms with the keys of the others, and "
                      "asks the same of them. Sign them so, or they do not count.",
                      key->path));
  }

  /// Tokens without a user are for anonymous clients; what is neither true nor false refuses them.
  [[nodiscard]] bool refuses_anonymous_tokens() const {
    const auto* const key =
      find("client.disallow_anonymous_connection_tokens", "disallow_anonymous_connection_tokens");
    return key != nullptr && flag_of(*key).value_or(true);
  }

  bool write_anonymous() {
    const auto* const key = keys_.take(
      {"client.allow_anonymous_connect_without_token", "allow_anonymous_connect_without_token"});
    const bool is_allowed = key != nullptr && flag_of(*key).value_or(false);
    const auto from = key != nullptr ? std::string_view{key->path} : std::string_view{};
    if (had_keys_ && !has_key_line_)
      out_.note("Canang does not start before it has a key for tokens: anybody could take any "
                "name.");
    if (had_keys_ && !has_key_line_ && is_allowed)
      out_.note("Then this becomes \"yes\".");
    if (!had_keys_)
      out_.note("There is no key for tokens: who connects is believed to be who it says in ?user=. "
                "See docs/tokens.md.");
    if (had_keys_ || is_allowed)
      out_.line("anonymous", toml_text(is_allowed && (has_key_line_ || !had_keys_) ? "yes" : "no"),
                from);
    else if (key != nullptr)
      out_.note(fmt::format("{}: without a key for tokens Canang lets clients in all the same.",
                            key->path));
    return is_allowed || (had_keys_ && !refuses_anonymous_tokens());
  }

  imported_keys& keys_;
  toml_writer& out_;
  bool had_keys_ = false;
  bool has_key_line_ = false;
};

} // namespace

bool write_token_options(imported_keys& keys, toml_writer& out) {
  return token_import{keys, out}.write();
}

} // namespace canang::app
