#pragma once

#include "app/jwks_url.hpp"
#include "net/auth/token.hpp"
#include "net/auth/token_keys.hpp"

#include <optional>
#include <string>

namespace canang::app {

class option_adder;

/// What the options say of tokens; the files that they name have been read. Not to be shown: there are secrets in it.
struct token_options {
  net::token_rules rules;
  net::token_keys secret;       ///< of `--token-hmac-secret`
  net::token_keys secret_file;  ///< of `--token-hmac-secret-file`
  net::token_keys public_keys;  ///< of `--token-public-key`
  net::token_keys jwks_file;    ///< of `--token-jwks` where that is a file
  std::optional<jwks_url> jwks; ///< where it is a URL
  std::string signing_secret{}; ///< the first secret that is given; empty: none
  bool has_files = false;       ///< whether any of the keys are of a file

  /// The keys that are known without a network.
  [[nodiscard]] net::token_keys keys() const;

  /// Whether tokens can be checked at all, now or once a key set has been fetched.
  [[nodiscard]] bool has_keys() const { return jwks.has_value() || !keys().is_empty(); }
};

/// Adds the options of tokens and of the keys that check them.
void add_token_options(option_adder& adder, token_options& into);

} // namespace canang::app
