#include "net/auth/token_key.hpp"

#include "net/auth/ecdsa_format.hpp"
#include "net/auth/secret.hpp"
#include "net/auth/token_limits.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cassert>
#include <utility>

namespace canang::net {

namespace {

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// RFC 7515, 5.2, by OpenSSL: none of Debian 12's JOSE libraries (libjose, libcjose, libcpp-jwt, libjwt) has EdDSA.
bool is_signed(evp_pkey_st* key, const char* hash, std::string_view text,
               std::string_view signature) {
  using context_ptr = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
  const context_ptr context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
  const bool holds =
    context != nullptr
    && EVP_DigestVerifyInit_ex(context.get(), nullptr, hash, nullptr, nullptr, key, nullptr) == 1
    && EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text),
                        text.size())
         == 1;
  if (!holds)
    ERR_clear_error(); // or the next user of TLS on this thread takes it for its own
  return holds;
}

bool is_curve(const evp_pkey_st* key, std::string_view name) {
  std::array<char, 64> group{};
  std::size_t size = 0;
  return EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1
         && std::string_view{group.data(), size} == name;
}

} // namespace

std::optional<key_kind> kind_of(const shared_pkey& key) {
  switch (key != nullptr ? EVP_PKEY_get_base_id(key.get()) : EVP_PKEY_NONE) {
  case EVP_PKEY_RSA: {
    const int bits = EVP_PKEY_get_bits(key.get());
    return bits >= min_rsa_bits && bits <= max_rsa_bits ? std::optional{key_kind::rsa}
                                                        : std::nullopt;
  }
  case EVP_PKEY_EC:
    if (is_curve(key.get(), "prime256v1"))
      return key_kind::p256;
    return is_curve(key.get(), "secp384r1") ? std::optional{key_kind::p384} : std::nullopt;
  case EVP_PKEY_ED25519: return key_kind::ed25519;
  default: return std::nullopt;
  }
}

std::optional<token_key> token_key::of_secret(std::string_view secret, std::string id,
                                              std::optional<token_algorithm> only) {
  if (secret.size() < min_secret_bytes || secret.size() > max_secret_bytes
      || (only && facts_of(*only).kind != key_kind::secret))
    return std::nullopt;
  token_key made{key_kind::secret, std::move(id), only};
  made.secret_ = secret;
  return made;
}

std::optional<token_key> token_key::of_public(shared_pkey key, std::string id,
                                              std::optional<token_algorithm> only) {
  const auto kind = kind_of(key);
  if (!kind || (only && facts_of(*only).kind != *kind))
    return std::nullopt;
  token_key made{*kind, std::move(id), only};
  made.public_ = std::move(key);
  return made;
}

std::string hmac(token_algorithm algorithm, std::string_view secret, std::string_view text) {
  assert(facts_of(algorithm).kind == key_kind::secret);
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned size = 0;
  const auto* const hash = EVP_get_digestbyname(facts_of(algorithm).hash);
  if (HMAC(hash, secret.data(), static_cast<int>(secret.size()), bytes_of(text), text.size(),
           sum.data(), &size)
      == nullptr) {
    ERR_clear_error();
    return {};
  }
  return {reinterpret_cast<const char*>(sum.data()), size};
}

bool token_key::holds(token_algorithm algorithm, std::string_view text,
                      std::string_view signature) const {
  assert(serves(algorithm));
  const auto& facts = facts_of(algorithm);
  if (facts.signature_size != 0 && signature.size() != facts.signature_size)
    return false;
  switch (kind_) {
  case key_kind::secret: {
    const auto wanted = hmac(algorithm, secret_, text);
    return !wanted.empty() && is_same_secret(signature, wanted);
  }
  case key_kind::p256:
  case key_kind::p384: {
    const auto der = der_of_raw(signature);
    return !der.empty() && is_signed(public_.get(), facts.hash, text, der);
  }
  case key_kind::rsa:
  case key_kind::ed25519: return is_signed(public_.get(), facts.hash, text, signature);
  }
  return false;
}

} // namespace canang::net
