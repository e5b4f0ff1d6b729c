#pragma once

#include "net/auth/signing_key.hpp"
#include "net/auth/token_claims.hpp"
#include "net/auth/token_keys.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace canang::net {

/// What an operator asks of tokens beside a signature.
struct token_rules {
  /// Added to `exp`, and to the present for `nbf` and `iat`: so far the clocks of those who issue may be off.
  std::chrono::seconds leeway{5};
  std::vector<std::string> audiences{}; ///< of which `aud` has to name one; empty: any, or none
  std::string issuer{};                 ///< what `iss` has to be; empty: anything, or absent
};

/// Why a token does not count.
enum class token_fault : std::uint8_t {
  malformed,     ///< or too long, or of an algorithm or with a claim that is not taken
  unknown_key,   ///< no key has its algorithm and `kid`
  bad_signature, ///< by any of the keys that it may be signed with
  expired,
  not_yet, ///< `nbf` or `iat` is still to come
  wrong_audience,
  wrong_issuer
};
inline constexpr std::size_t token_fault_count = 7;

/// For clients and logs: `the token is expired`. Has nothing of the token in it.
[[nodiscard]] std::string_view to_string(token_fault fault) noexcept;

/// Checks a JWS in its compact form (RFC 7515, 7.1) that is a JWT (RFC 7519). No claim is looked at before the signature
/// holds. From any thread; takes microseconds for HMAC, up to a millisecond for other algorithms: see `is_costly`.
[[nodiscard]] std::variant<token_claims, token_fault>
check_token(std::string_view token, const token_keys& keys, const token_rules& rules,
            std::chrono::system_clock::time_point now);

/// Whether a check takes so long that it is better done elsewhere than on a loop: its header names an algorithm
/// with public keys. False also for what is malformed, which is refused at once. From any thread.
[[nodiscard]] bool is_costly(std::string_view token) noexcept;

/// The same where there are these keys: one that none of them can have signed is refused at once.
[[nodiscard]] bool is_costly(std::string_view token, const token_keys& keys) noexcept;

/// The `kid` in a token's header, of which nothing is proved; empty: there is none. To have a key looked for where the
/// check says `unknown_key`.
[[nodiscard]] std::string key_id_of(std::string_view token);

} // namespace canang::net
