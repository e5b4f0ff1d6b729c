#pragma once

#include "net/auth/token_key.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace canang::net {

/// What tokens are signed with, where this side issues them: `canang token`, and tests.
class signing_key {
public:
  /// @param algorithm one of HMAC's.
  [[nodiscard]] static std::optional<signing_key>
  of_secret(std::string_view secret, token_algorithm algorithm = token_algorithm::hs256,
            std::string id = {});

  /// @param pem of a private key without a password.
  /// @param algorithm by default the first of the key's kind.
  [[nodiscard]] static std::optional<signing_key>
  of_pem(std::string_view pem, std::optional<token_algorithm> algorithm = std::nullopt,
         std::string id = {});

  [[nodiscard]] token_algorithm algorithm() const noexcept { return algorithm_; }
  [[nodiscard]] const std::string& id() const noexcept { return id_; }

  /// Empty where OpenSSL fails.
  [[nodiscard]] std::string sign(std::string_view text) const;

private:
  signing_key(token_algorithm algorithm, std::string id)
    : algorithm_(algorithm), id_(std::move(id)) {}

  token_algorithm algorithm_;
  std::string id_; // the `kid` of its tokens; empty: none
  std::string secret_;
  shared_pkey private_;
};

/// A token with the given claims, which are JSON and are not looked at; empty where OpenSSL fails.
[[nodiscard]] std::string sign_token(std::string_view claims, const signing_key& key);

} // namespace canang::net
