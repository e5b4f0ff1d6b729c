#include "net/http/handshake.hpp"

#include "net/http/authority.hpp"
#include "net/http/fields.hpp"

#include <algorithm>
#include <utility>

namespace canang::net {

namespace {

namespace http = boost::beast::http;
using http::field;

/// Bytes of a valid Sec-WebSocket-Key: 16 bytes in base64 (RFC 6455, 4.2.1).
constexpr std::size_t key_size = 24;

/// Subprotocols that a client may offer; each is compared with each that is allowed.
constexpr std::size_t max_subprotocols = 32;

/// What comes next goes to another node, if there is a balancer that has one.
constexpr const char* refusal_seconds = "1";

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

std::string_view refusal_text(reject_reason reason) noexcept {
  switch (reason) {
  case reject_reason::connections: return "this node has as many connections as it may";
  case reject_reason::memory: return "this node has no memory for more connections";
  case reject_reason::rate: return "too many new connections at once";
  case reject_reason::address: return "too many connections from this address";
  default: return "this node takes no new connections";
  }
}

} // namespace

rejection reject(reject_reason reason, unsigned status, std::string text) {
  return {reason, text_response(status, std::move(text))};
}

rejection reject_for_now(reject_reason reason) {
  // 503 has balancers try another node, which may have room; 429 is for this client alone
  const unsigned status = reason == reject_reason::address ? 429 : 503;
  auto wrong = reject(reason, status, std::string{refusal_text(reason)});
  wrong.response.headers.emplace_back("Retry-After", refusal_seconds);
  return wrong;
}

bool has_body(const http_request_header& request) {
  return request.has_content_length() ? request[field::content_length] != "0"
                                      : request.count(field::transfer_encoding) != 0;
}

std::optional<rejection> check_request(const http_request_header& request) {
  if (const auto name = repeated_field(request); !name.empty())
    return reject(reject_reason::bad_request, 400,
                  std::string{name} + " may stand in a request once only");
  const auto host = request.find(field::host);
  if (host == request.end()) {
    if (request.version() >= 11)
      return reject(reject_reason::bad_request, 400, "Host is missing");
  } else if (!parse_authority(host->value())) {
    return reject(reject_reason::bad_request, 400, "Host is not a name or an address with a port");
  }
  return std::nullopt;
}

std::string_view host_of(const http_request_header& request, const request_target& target) {
  return target.authority.empty() ? std::string_view{request[field::host]} : target.authority;
}

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

std::optional<rejection> check_origin(const http_request_header& request,
                                      const request_target& target, const origin_rules& allowed) {
  const auto origin = request.find(field::origin);
  if (origin == request.end() || allowed.allows(origin->value(), host_of(request, target)))
    return std::nullopt;
  return reject(
    reject_reason::origin, 403,
    "pages of this origin may not connect here: the server's --allowed-origin says which");
}

std::variant<std::string, rejection> choose_subprotocol(const http_request_header& request,
                                                        const subprotocol_rules& allowed) {
  const auto offered = list_items(request, field::sec_websocket_protocol);
  if (offered.empty())
    return std::string{};
  if (offered.size() > max_subprotocols || !std::all_of(offered.begin(), offered.end(), is_token))
    return reject(reject_reason::bad_request, 400,
                  "Sec-WebSocket-Protocol is not a list of at most 32 tokens");
  if (auto chosen = allowed.choose(offered))
    return std::move(*chosen);
  return reject(
    reject_reason::bad_request, 400,
    "none of the offered subprotocols: the server's --subprotocols says which there are");
}

} // namespace canang::net
