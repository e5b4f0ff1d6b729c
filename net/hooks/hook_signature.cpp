#include "net/hooks/hook_signature.hpp"

#include "base/hex_digit.hpp"
#include "base/unix_time.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace canang::net {

std::vector<std::pair<std::string, std::string>>
sign_hook_request(std::string_view secret, std::int64_t at, std::string_view body) {
  auto timestamp = std::to_string(at);
  std::string signed_text = timestamp;
  signed_text += '.';
  signed_text += body;
  std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(signed_text.data()), signed_text.size(), code.data(),
       &size);
  std::string signature{"v1="};
  for (unsigned i = 0; i < size; ++i)
    append_hex(signature, code[i], 2);
  return {{"X-Canang-Timestamp", std::move(timestamp)},
          {"X-Canang-Signature", std::move(signature)}};
}

hook_message signed_hook_message(std::string_view secret, const std::string& body) {
  hook_message message{.body = body};
  if (!secret.empty())
    message.headers = sign_hook_request(secret, unix_s(), body);
  return message;
}

} // namespace canang::net
