#include "net/http/request_checks.hpp"

#include "base/parse_number.hpp"
#include "net/http/authority.hpp"
#include "net/http/fields.hpp"

#include <boost/beast/core/string.hpp>

#include <string>
#include <utility>

namespace canang::net {

using boost::beast::http::field;

namespace {

/// What lies behind a request that two readers could end in two places is not to be taken for another one
/// (request smuggling).
std::optional<rejection> check_body_end(const http_request_header& request) {
  if (request.count(field::transfer_encoding) == 0)
    return std::nullopt;
  if (request.count(field::content_length) != 0)
    return reject(reject_reason::bad_request, 400,
                  "Content-Length and Transfer-Encoding may not stand in one request");
  if (request.version() < 11)
    return reject(reject_reason::bad_request, 400, "HTTP/1.0 has no Transfer-Encoding");
  return std::nullopt;
}

} // namespace

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
  return check_body_end(request);
}

std::string_view host_of(const http_request_header& request, const request_target& target) {
  return target.authority.empty() ? std::string_view{request[field::host]} : target.authority;
}

bool has_body(const http_request_header& request) {
  return request.has_content_length() ? request[field::content_length] != "0"
                                      : request.count(field::transfer_encoding) != 0;
}

std::variant<body_framing, page_response> read_framing(const http_request_header& request) {
  body_framing framing;
  if (const auto length = request.find(field::content_length); length != request.end()) {
    const auto bytes = parse_number<decltype(framing.length)>(length->value());
    if (!bytes)
      return text_response(400, "Content-Length is not a number of bytes");
    framing.length = *bytes;
    return framing;
  }
  const auto codings = list_items(request, field::transfer_encoding);
  if (codings.empty())
    return framing;
  if (!boost::beast::iequals(codings.back(), "chunked"))
    return text_response(400, "the last Transfer-Encoding has to be chunked");
  if (codings.size() > 1)
    return text_response(501, "chunked is the only Transfer-Encoding that is understood here");
  framing.is_chunked = true;
  return framing;
}

} // namespace canang::net
