#include "app/admin/api_access.hpp"

#include "net/http/fields.hpp"

#include <string>
#include <string_view>

namespace canang::admin {

namespace {

namespace http = boost::beast::http;

} // namespace

api_access::api_access(const net::api_keys& keys, const net::internal_access_options& internal,
                       bool is_loopback)
  : keys_(keys),
    internal_(internal, is_loopback),
    has_internal_key_(!internal.key.empty()),
    is_loopback_(is_loopback) {}

std::optional<net::page_response> api_access::refusal(const net::http_request& request) const {
  if (keys_.is_empty()) {
    if (has_internal_key_ || !is_loopback_)
      return net::text_response(403, "the server API needs --api-key: without it, it is for this "
                                     "machine only, and not where there is an --internal-key");
    return internal_.refusal(request);
  }
  if (!has_key(request)) {
    auto wrong = net::text_response(401, "this needs a key of the server API: X-API-Key: KEY, or "
                                         "Authorization: apikey KEY");
    wrong.headers.emplace_back("WWW-Authenticate", R"(apikey realm="canang")");
    return wrong;
  }
  if (net::is_from_page(request.header))
    return net::text_response(403, "this is not for web pages, which would show the key to all "
                                   "their readers");
  return std::nullopt;
}

/// Both are looked at, whichever is there.
bool api_access::has_key(const net::http_request& request) const {
  const bool by_own = keys_.allow(request.header["X-API-Key"]);
  return keys_.allow(net::credentials_of(request.field(http::field::authorization), "apikey"))
         || by_own;
}

} // namespace canang::admin
