#include "app/admin/console_access.hpp"

#include "net/auth/secret.hpp"
#include "net/http/fields.hpp"
#include "net/http/origin.hpp"

#include <string_view>

namespace canang::admin {

namespace {

namespace http = boost::beast::http;

/// What the browser says of the page that asks; it says the first only where TLS or the machine itself is trusted. A
/// proxy in front may change the host, but not that.
bool is_from_another_site(const net::http_request& request) {
  if (const auto site = request.header["Sec-Fetch-Site"]; !site.empty())
    return site != "same-origin";
  const auto origin = request.field(http::field::origin);
  return !origin.empty() && !net::origin_rules{}.allows(origin, request.host);
}

} // namespace

std::optional<net::page_response> console_access::refusal(const net::http_request& request) const {
  if (key_.empty())
    return console_needs_key();
  const auto given = net::credentials_of(request.field(http::field::authorization), "bearer");
  if (!net::is_same_secret(given, key_)) {
    auto wrong = net::text_response(401, "this needs the internal key: Authorization: Bearer KEY");
    wrong.headers.emplace_back("WWW-Authenticate", R"(Bearer realm="canang")");
    return wrong;
  }
  if (is_from_another_site(request))
    return net::text_response(403, "this is for the console's own page, and not for those of "
                                   "other sites");
  return std::nullopt;
}

net::page_response console_needs_key() {
  return net::text_response(403, "the console needs --internal-key");
}

} // namespace canang::admin
