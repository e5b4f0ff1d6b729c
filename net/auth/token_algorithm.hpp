#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace canang::net {

/// The algorithms of signatures that tokens may have (RFC 7518, 3.1, and RFC 8037). `none` is not one.
enum class token_algorithm : std::uint8_t {
  hs256,
  hs384,
  hs512,
  rs256,
  rs384,
  rs512,
  es256,
  es384,
  eddsa
};
inline constexpr std::size_t token_algorithm_count = 9;

/// What a key of an algorithm is.
enum class key_kind : std::uint8_t { secret, rsa, p256, p384, ed25519 };

struct algorithm_facts {
  std::string_view name; ///< in headers and keys
  key_kind kind;
  const char* hash;           ///< OpenSSL's name; null: the algorithm has its own
  std::size_t signature_size; ///< in bytes; 0: that of the key
};

[[nodiscard]] const algorithm_facts& facts_of(token_algorithm algorithm) noexcept;

/// That of a header's `alg`, of which the case counts.
[[nodiscard]] std::optional<token_algorithm> algorithm_of(std::string_view name) noexcept;

/// The one to sign with where only the key is known.
[[nodiscard]] token_algorithm first_algorithm_of(key_kind kind) noexcept;

} // namespace canang::net
