#include "net/base64.hpp"

#include "net/json.hpp"

#include <openssl/evp.h>

#include <cstddef>
#include <limits>
#include <utility>

namespace canang::net {

/// OpenSSL takes more than it writes: white space around it, padding within, bits behind the last byte. What is
/// right comes back when it is encoded again.
std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0 || text.size() > std::numeric_limits<int>::max())
    return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=')
    ++padding;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0 || static_cast<std::size_t>(size) < padding)
    return std::nullopt;
  bytes.resize(static_cast<std::size_t>(size) - padding); // which it has as zeros
  std::string again;
  append_base64(again, bytes);
  return again == text ? std::optional{std::move(bytes)} : std::nullopt;
}

} // namespace canang::net
