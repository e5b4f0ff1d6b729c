#pragma once

#include "net/auth/token_algorithm.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

struct evp_pkey_st; // OpenSSL's EVP_PKEY

namespace canang::net {

using shared_pkey = std::shared_ptr<evp_pkey_st>;

/// One key that checks signatures. What it is says which algorithms it takes, whatever a token asks for: a public
/// key is never used as a secret, nor the other way round. Immutable; from any thread.
class token_key {
public:
  /// @param only takes this algorithm alone.
  /// @returns nothing where the secret's size or the algorithm does not fit.
  [[nodiscard]] static std::optional<token_key>
  of_secret(std::string_view secret, std::string id = {},
            std::optional<token_algorithm> only = std::nullopt);

  /// @returns nothing where the key is none of the kinds and sizes that count, or the algorithm is another kind's.
  [[nodiscard]] static std::optional<token_key>
  of_public(shared_pkey key, std::string id = {},
            std::optional<token_algorithm> only = std::nullopt);

  [[nodiscard]] bool serves(token_algorithm algorithm) const noexcept {
    return facts_of(algorithm).kind == kind_ && (!only_ || *only_ == algorithm);
  }

  /// Its `kid`; empty: it has none, and may be meant by any token.
  [[nodiscard]] const std::string& id() const noexcept { return id_; }

  /// Whether this is the signature of `text`; `serves(algorithm)`.
  [[nodiscard]] bool holds(token_algorithm algorithm, std::string_view text,
                           std::string_view signature) const;

private:
  token_key(key_kind kind, std::string id, std::optional<token_algorithm> only)
    : kind_(kind), only_(only), id_(std::move(id)) {}

  key_kind kind_;
  std::optional<token_algorithm> only_;
  std::string id_;
  std::string secret_; // of a secret
  shared_pkey public_; // of all others
};

/// What a key of OpenSSL counts as here; nothing for other kinds, curves and sizes.
[[nodiscard]] std::optional<key_kind> kind_of(const shared_pkey& key);

/// The HMAC of a text; empty where OpenSSL fails.
[[nodiscard]] std::string hmac(token_algorithm algorithm, std::string_view secret,
                               std::string_view text);

} // namespace canang::net
