#include "base/hex_digit.hpp"
#include "cluster/redis/shard.hpp"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace canang::cluster {

redis_script::redis_script(std::string_view text, std::string_view name)
  : text_(text), name_(name) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1)
    throw std::runtime_error{"OpenSSL has no SHA-1, by which Redis knows its scripts"};
  for (unsigned i = 0; i < size; ++i)
    append_hex(sha_, digest[i], 2);
}

} // namespace canang::cluster
