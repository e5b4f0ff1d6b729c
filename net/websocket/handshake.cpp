#include "net/websocket/handshake.hpp"

#include "net/http/fields.hpp"
#include "net/http/request_checks.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <utility>

namespace canang::net {

namespace {

namespace http = boost::beast::http;
using http::field;

/// Bytes of a valid Sec-WebSocket-Key: 16 bytes in base64 (RFC 6455, 4.2.1).
constexpr std::size_t key_size = 24;

/// Subprotocols that a client may offer; each is compared with each that is allowed.
constexpr std::size_t max_subprotocols = 32;

bool is_websocket_key(std::string_view key) noexcept {
  if (key.size() != key_size || !key.ends_with("=="))
    return false;
  for (const char c : key.substr(0, key_size - 2)) {
    const bool valid = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
                       || c == '+' || c == '/';
    if (!valid)
      return false;
  }
  return true;
}

/// Whether a WebSocket client sent this, however little of it is left: its own fields go from end to
/// end, while Upgrade and Connection are for one hop only (RFC 9110, 7.6.1).
bool is_of_a_websocket_client(const http_request_header& request) {
  return request.count(field::sec_websocket_key) != 0
         || request.count(field::sec_websocket_version) != 0;
}

rejection reject_upgrade(reject_reason reason, std::string text) {
  auto wrong = reject(reason, 426, std::move(text));
  wrong.response.headers.emplace_back("Upgrade", "websocket");
  wrong.response.headers.emplace_back("Connection", "Upgrade");
  return wrong;
}

/// What is missing of an upgrade, and who took it away.
std::optional<rejection> check_upgrade(const http_request_header& request) {
  const bool is_proxied = is_of_a_websocket_client(request);
  if (request.version() < 11)
    return reject(reject_reason::bad_request, 400,
                  is_proxied
                    ? "a WebSocket handshake needs HTTP/1.1: a proxy in front speaks HTTP/1.0 "
                      "to this server"
                    : "a WebSocket handshake needs HTTP/1.1");
  if (!has_item(request, field::upgrade, "websocket")) {
    if (!is_proxied)
      return reject_upgrade(reject_reason::not_an_upgrade, "this path speaks WebSocket only");
    return reject_upgrade(
      reject_reason::not_an_upgrade,
      request.count(field::upgrade) == 0
        ? "a proxy in front removed the Upgrade header: it has to pass on Upgrade "
          "and Connection"
        : "the Upgrade header does not name websocket");
  }
  if (!has_item(request, field::connection, "upgrade"))
    return reject_upgrade(reject_reason::not_an_upgrade,
                          is_proxied
                            ? "the Connection header does not name Upgrade: a proxy in front "
                              "has to pass on Upgrade and Connection"
                            : "the Connection header does not name Upgrade");
  return std::nullopt;
}

} // namespace

std::optional<rejection> check_handshake(const http_request_header& request) {
  if (request.method() != http::verb::get) {
    auto wrong = reject(reject_reason::bad_method, 405, "a WebSocket handshake is a GET");
    wrong.response.headers.emplace_back("Allow", "GET");
    return wrong;
  }
  if (request.count(field::transfer_encoding) != 0)
    return reject(reject_reason::bad_request, 400, "Transfer-Encoding is not allowed here");
  if (has_body(request))
    return reject(reject_reason::bad_request, 400, "a body is not allowed here");
  if (auto wrong = check_upgrade(request))
    return wrong;
  if (request[field::sec_websocket_version] != "13") {
    auto wrong =
      reject_upgrade(reject_reason::bad_request, "only WebSocket version 13 is spoken here");
    wrong.response.headers.emplace_back("Sec-WebSocket-Version", "13");
    return wrong;
  }
  if (!is_websocket_key(request[field::sec_websocket_key]))
    return reject(reject_reason::bad_request, 400, "Sec-WebSocket-Key is missing or not 16 bytes");
  return std::nullopt;
}

std::optional<rejection> check_origin(const http_request_header& request, std::string_view host,
                                      const origin_rules& allowed) {
  const auto origin = request.find(field::origin);
  if (origin == request.end() || allowed.allows(origin->value(), host))
    return std::nullopt;
  return reject(
    reject_reason::origin, 403,
    "pages of this origin may not connect here: the server's --allowed-origin says which");
}

std::variant<std::string, rejection> choose_subprotocol(const http_request_header& request,
                                                        const subprotocol_rules& allowed) {
  auto offered = list_items(request, field::sec_websocket_protocol);
  if (offered.empty())
    return std::string{};
  if (offered.size() > max_subprotocols || !std::all_of(offered.begin(), offered.end(), is_token))
    return reject(reject_reason::bad_request, 400,
                  "Sec-WebSocket-Protocol is not a list of at most 32 tokens");
  // One that is a token is answered only where there is no other: a browser wants one of them to be.
  const auto others = std::stable_partition(offered.begin(), offered.end(), [](const auto& name) {
    return name.starts_with(bearer_subprotocol);
  });
  if (others == offered.end())
    return std::string{offered.front()};
  if (auto chosen = allowed.choose({others, offered.end()}))
    return std::move(*chosen);
  return reject(
    reject_reason::bad_request, 400,
    "none of the offered subprotocols: the server's --subprotocols says which there are");
}

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

std::string handshake_answer(std::string_view key, std::string_view subprotocol,
                             std::string_view extensions) {
  std::string answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nServer: canang\r\nSec-WebSocket-Accept: ";
  answer += websocket_accept(key);
  if (!subprotocol.empty()) {
    answer += "\r\nSec-WebSocket-Protocol: ";
    answer += subprotocol;
  }
  if (!extensions.empty()) {
    answer += "\r\nSec-WebSocket-Extensions: ";
    answer += extensions;
  }
  answer += "\r\n\r\n";
  return answer;
}

} // namespace canang::net
