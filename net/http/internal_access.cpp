#include "net/http/internal_access.hpp"

#include "net/auth/secret.hpp"
#include "net/http/authority.hpp"
#include "net/http/fields.hpp"

#include <algorithm>
#include <utility>

namespace canang::net {

namespace {

namespace http = boost::beast::http;

} // namespace

internal_access::internal_access(internal_access_options options, bool is_loopback)
  : options_(std::move(options)), is_loopback_(is_loopback) {}

std::optional<page_response> internal_access::refusal(const http_request& request) const {
  if (auto wrong = refuse_who(request))
    return wrong;
  const auto method = request.header.method();
  const bool is_safe = method == http_method::get || method == http_method::head;
  if (!is_safe && is_from_page(request.header))
    return text_response(403, "this is not for web pages");
  return std::nullopt;
}

std::optional<page_response> internal_access::refuse_who(const http_request& request) const {
  if (!options_.key.empty()) {
    if (has_key(request.field(http::field::authorization)))
      return std::nullopt;
    auto wrong = text_response(401, "this needs the internal key: Authorization: Bearer KEY");
    wrong.headers.emplace_back("WWW-Authenticate", R"(Bearer realm="canang")");
    return wrong;
  }
  if (!is_loopback_)
    return text_response(403, "beyond loopback only /healthz, /readyz and /metrics are answered "
                              "without --internal-key");
  if (!is_own_host(request.host))
    return text_response(403,
                         "this host is not served here: the server's --internal-host says which");
  return std::nullopt;
}

bool internal_access::has_key(std::string_view authorization) const {
  return is_same_secret(credentials_of(authorization, "bearer"), options_.key);
}

/// A browser names the host whose page it shows; one that names none is no browser.
bool internal_access::is_own_host(std::string_view host) const {
  const auto asked = parse_authority(host);
  if (!asked)
    return false;
  const auto name = to_lower(asked->host);
  return name.empty() || is_ip_address(name)
         || std::find(options_.hosts.begin(), options_.hosts.end(), name) != options_.hosts.end();
}

} // namespace canang::net
