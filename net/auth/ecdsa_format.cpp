#include "net/auth/ecdsa_format.hpp"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include <memory>

namespace canang::net {

namespace {

using signature_ptr = std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)>;

} // namespace

std::string der_of_raw(std::string_view raw) {
  const auto half = static_cast<int>(raw.size() / 2);
  const auto* const first = reinterpret_cast<const unsigned char*>(raw.data());
  const signature_ptr numbers{ECDSA_SIG_new(), &ECDSA_SIG_free};
  auto* const r = BN_bin2bn(first, half, nullptr);
  auto* const s = BN_bin2bn(first + half, half, nullptr);
  if (numbers == nullptr || r == nullptr || s == nullptr
      || ECDSA_SIG_set0(numbers.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return {};
  }
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(numbers.get(), &der);
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> holder{
    der, [](unsigned char* bytes) { OPENSSL_free(bytes); }};
  return size > 0 ? std::string{reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)}
                  : std::string{};
}

std::string raw_of_der(std::string_view der, std::size_t size) {
  const auto* first = reinterpret_cast<const unsigned char*>(der.data());
  const signature_ptr numbers{d2i_ECDSA_SIG(nullptr, &first, static_cast<long>(der.size())),
                              &ECDSA_SIG_free};
  if (numbers == nullptr) {
    ERR_clear_error();
    return {};
  }
  const auto half = static_cast<int>(size / 2);
  std::string raw(size, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(raw.data());
  if (BN_bn2binpad(ECDSA_SIG_get0_r(numbers.get()), out, half) != half
      || BN_bn2binpad(ECDSA_SIG_get0_s(numbers.get()), out + half, half) != half)
    return {};
  return raw;
}

} // namespace canang::net
