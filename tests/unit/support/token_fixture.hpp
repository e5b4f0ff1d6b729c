#pragma once

#include "net/auth/base64url.hpp"
#include "net/auth/token.hpp"
#include "tests/unit/support/token_vectors.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace canang::test {

/// A token whose parts are what a test says, signed as it stands with the HMAC secret of the tests.
inline std::string token_of(std::string_view header, std::string_view payload) {
  std::string token;
  net::append_base64url(token, header);
  token += '.';
  net::append_base64url(token, payload);
  const auto signature = net::hmac(net::token_algorithm::hs256, token_secret, token);
  token += '.';
  net::append_base64url(token, signature);
  return token;
}

inline std::string token_of(std::string_view payload) {
  return token_of(R"({"alg":"HS256"})", payload);
}

/// The tests' HMAC secret, and public keys where they are wanted.
inline net::token_keys keys_of_secret() {
  net::token_keys_builder builder;
  (void)builder.add_secret(token_secret);
  return std::move(builder).build();
}

inline net::token_keys keys_of_pem(std::string_view pem) {
  net::token_keys_builder builder;
  (void)builder.add_pem(pem);
  return std::move(builder).build();
}

inline std::chrono::system_clock::time_point at(std::int64_t unix_seconds) {
  return std::chrono::system_clock::time_point{std::chrono::seconds{unix_seconds}};
}

} // namespace canang::test
