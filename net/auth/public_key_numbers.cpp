#include "net/auth/public_key_numbers.hpp"

#include "net/auth/token_limits.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>

namespace canang::net {

namespace {

using number_ptr = std::unique_ptr<BIGNUM, decltype(&BN_free)>;

number_ptr number_of(std::string_view bytes) {
  return {BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                    static_cast<int>(bytes.size()), nullptr),
          &BN_free};
}

shared_pkey key_of(const char* type, OSSL_PARAM* parameters) {
  using context_ptr = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;
  const context_ptr context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr), &EVP_PKEY_CTX_free};
  EVP_PKEY* made = nullptr;
  if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1
      || EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  return {made, &EVP_PKEY_free};
}

/// Odd and larger than 1, and of a size that makes checks no slower than they have to be.
bool is_exponent(std::string_view bytes) {
  constexpr std::size_t most = 4;
  return !bytes.empty() && bytes.size() <= most && bytes.front() != '\0'
         && (static_cast<unsigned char>(bytes.back()) & 1U) == 1U && bytes != "\x01";
}

} // namespace

shared_pkey rsa_key(std::string_view modulus, std::string_view exponent) {
  if (modulus.size() > max_rsa_bits / 8 || !is_exponent(exponent))
    return nullptr;
  const auto n = number_of(modulus);
  const auto e = number_of(exponent);
  const std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> builder{
    OSSL_PARAM_BLD_new(), &OSSL_PARAM_BLD_free};
  if (n == nullptr || e == nullptr || builder == nullptr
      || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1
      || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return nullptr;
  const std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> parameters{
    OSSL_PARAM_BLD_to_param(builder.get()), &OSSL_PARAM_free};
  return key_of("RSA", parameters.get());
}

shared_pkey ec_key(key_kind kind, std::string_view x, std::string_view y) {
  const std::size_t size = kind == key_kind::p256 ? 32 : 48;
  if (x.size() != size || y.size() != size) // RFC 7518, 6.2.1.2: leading zeros stay
    return nullptr;
  std::string group = kind == key_kind::p256 ? "P-256" : "P-384";
  std::string point{'\x04'}; // uncompressed
  point.append(x).append(y);
  std::array<OSSL_PARAM, 3> parameters{
    OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
    OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
    OSSL_PARAM_construct_end()};
  return key_of("EC", parameters.data());
}

shared_pkey ed25519_key(std::string_view x) {
  constexpr std::size_t size = 32;
  if (x.size() != size)
    return nullptr;
  shared_pkey key{EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                              reinterpret_cast<const unsigned char*>(x.data()),
                                              x.size()),
                  &EVP_PKEY_free};
  if (key == nullptr)
    ERR_clear_error();
  return key;
}

} // namespace canang::net
