#include "net/auth/token_algorithm.hpp"

#include <array>
#include <cstddef>

namespace canang::net {

namespace {

constexpr std::array<algorithm_facts, token_algorithm_count> facts{
  {{"HS256", key_kind::secret, "SHA256", 32},
   {"HS384", key_kind::secret, "SHA384", 48},
   {"HS512", key_kind::secret, "SHA512", 64},
   {"RS256", key_kind::rsa, "SHA256", 0},
   {"RS384", key_kind::rsa, "SHA384", 0},
   {"RS512", key_kind::rsa, "SHA512", 0},
   {"ES256", key_kind::p256, "SHA256", 64},
   {"ES384", key_kind::p384, "SHA384", 96},
   {"EdDSA", key_kind::ed25519, nullptr, 64}}};

} // namespace

const algorithm_facts& facts_of(token_algorithm algorithm) noexcept {
  return facts[static_cast<std::size_t>(algorithm)];
}

std::optional<token_algorithm> algorithm_of(std::string_view name) noexcept {
  for (std::size_t i = 0; i < facts.size(); ++i)
    if (facts[i].name == name)
      return static_cast<token_algorithm>(i);
  return std::nullopt;
}

token_algorithm first_algorithm_of(key_kind kind) noexcept {
  std::size_t i = 0;
  while (facts[i].kind != kind)
    ++i;
  return static_cast<token_algorithm>(i);
}

} // namespace canang::net
