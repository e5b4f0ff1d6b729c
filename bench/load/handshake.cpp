#include "bench/load/handshake.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

namespace canang::load::handshake {

namespace {

std::string base64(const unsigned char* bytes, std::size_t size) {
  std::string text(4 * ((size + 2) / 3) + 1, '\0'); // EVP_EncodeBlock ends it with a zero
  const int written =
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes, static_cast<int>(size));
  text.resize(static_cast<std::size_t>(written));
  return text;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t'))
    s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t'))
    s.remove_suffix(1);
  return s;
}

} // namespace

std::string make_key(std::uint64_t random_high, std::uint64_t random_low) {
  std::array<unsigned char, 16> bytes;
  std::memcpy(bytes.data(), &random_high, 8);
  std::memcpy(bytes.data() + 8, &random_low, 8);
  return base64(bytes.data(), bytes.size());
}

std::string accept_of(std::string_view key) {
  std::string text{key};
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return base64(digest.data(), digest.size());
}

std::string request(std::string_view host, std::string_view target, std::string_view key,
                    std::string_view subprotocol) {
  std::string text;
  text.append("GET ").append(target).append(" HTTP/1.1\r\nHost: ").append(host);
  text
    .append("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13"
            "\r\nSec-WebSocket-Key: ")
    .append(key);
  if (!subprotocol.empty())
    text.append("\r\nSec-WebSocket-Protocol: ").append(subprotocol);
  text.append("\r\n\r\n");
  return text;
}

std::string_view header_value(std::string_view head, std::string_view name) {
  for (auto at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n")) {
    head.remove_prefix(at + 2);
    const auto line = head.substr(0, head.find("\r\n"));
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && equal_ignoring_case(line.substr(0, colon), name))
      return trimmed(line.substr(colon + 1));
  }
  return {};
}

std::optional<answer> read_answer(std::string_view bytes, std::string_view key) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() < max_answer_bytes)
      return std::nullopt;
    return answer{bytes.size(), "endless handshake answer"};
  }
  answer result{end + 4, {}};
  const auto head = bytes.substr(0, end);
  if (!head.starts_with("HTTP/1.1 ") || head.size() < 12) {
    result.error = "the answer is not HTTP/1.1";
  } else if (head.substr(9, 3) != "101") {
    result.error = "answered " + std::string{head.substr(9, 3)};
  } else if (header_value(head, "sec-websocket-accept") != accept_of(key)) {
    result.error = "wrong Sec-WebSocket-Accept";
  } else if (!header_value(head, "sec-websocket-extensions").empty()) {
    result.error = "granted an extension that was not asked for";
  }
  return result;
}

} // namespace canang::load::handshake
