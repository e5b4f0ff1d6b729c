#include "net/auth/signing_key.hpp"

#include "net/auth/base64url.hpp"
#include "net/auth/ecdsa_format.hpp"
#include "net/auth/pem.hpp"
#include "net/auth/token_limits.hpp"
#include "net/json.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <cstddef>
#include <utility>

namespace canang::net {

namespace {

std::string signature_of(evp_pkey_st* key, const char* hash, std::string_view text) {
  using context_ptr = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
  const context_ptr context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t size = 0;
  std::string signature;
  if (context == nullptr
      || EVP_DigestSignInit_ex(context.get(), nullptr, hash, nullptr, nullptr, key, nullptr) != 1
      || EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1) {
    ERR_clear_error();
    return {};
  }
  signature.resize(size);
  auto* const out = reinterpret_cast<unsigned char*>(signature.data());
  if (EVP_DigestSign(context.get(), out, &size, bytes, text.size()) != 1) {
    ERR_clear_error();
    return {};
  }
  signature.resize(size); // of ECDSA, less than it said at first
  return signature;
}

} // namespace

std::optional<signing_key> signing_key::of_secret(std::string_view secret,
                                                  token_algorithm algorithm, std::string id) {
  if (facts_of(algorithm).kind != key_kind::secret || secret.size() < min_secret_bytes
      || secret.size() > max_secret_bytes)
    return std::nullopt;
  signing_key made{algorithm, std::move(id)};
  made.secret_ = secret;
  return made;
}

std::optional<signing_key> signing_key::of_pem(std::string_view pem,
                                               std::optional<token_algorithm> algorithm,
                                               std::string id) {
  auto key = private_key_of_pem(pem);
  const auto kind = kind_of(key);
  if (!kind || (algorithm && facts_of(*algorithm).kind != *kind))
    return std::nullopt;
  signing_key made{algorithm.value_or(first_algorithm_of(*kind)), std::move(id)};
  made.private_ = std::move(key);
  return made;
}

std::string signing_key::sign(std::string_view text) const {
  const auto& facts = facts_of(algorithm_);
  if (facts.kind == key_kind::secret)
    return hmac(algorithm_, secret_, text);
  auto signature = signature_of(private_.get(), facts.hash, text);
  const bool is_der = facts.kind == key_kind::p256 || facts.kind == key_kind::p384;
  return is_der ? raw_of_der(signature, facts.signature_size) : signature;
}

std::string sign_token(std::string_view claims, const signing_key& key) {
  std::string header = R"({"alg":")";
  header.append(facts_of(key.algorithm()).name).append(R"(","typ":"JWT")");
  if (!key.id().empty())
    header.append(R"(,"kid":)").append(json_string(key.id()));
  header += '}';
  std::string token;
  append_base64url(token, header);
  token += '.';
  append_base64url(token, claims);
  const auto signature = key.sign(token);
  if (signature.empty())
    return {};
  token += '.';
  append_base64url(token, signature);
  return token;
}

} // namespace canang::net
