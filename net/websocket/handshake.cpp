#include "net/websocket/handshake.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>

namespace canang::net {

std::string websocket_accept(std::string_view key) {
  static constexpr std::string_view magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::string text{key};
  text += magic;
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, (SHA_DIGEST_LENGTH + 2) / 3 * 4 + 1> base64; // with a final zero
  const int size = EVP_EncodeBlock(base64.data(), digest.data(), SHA_DIGEST_LENGTH);
  return {reinterpret_cast<const char*>(base64.data()), static_cast<std::size_t>(size)};
}

std::string handshake_answer(std::string_view key, std::string_view subprotocol) {
  std::string answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nServer: canang\r\nSec-WebSocket-Accept: ";
  answer += websocket_accept(key);
  if (!subprotocol.empty()) {
    answer += "\r\nSec-WebSocket-Protocol: ";
    answer += subprotocol;
  }
  answer += "\r\n\r\n";
  return answer;
}

} // namespace canang::net
