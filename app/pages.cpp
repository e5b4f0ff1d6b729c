#include "app/pages.hpp"

#include "net/http/fields.hpp"
#include "web/assets.hpp"

namespace canang::app {

namespace {

net::page_response public_page(const net::http_request& request) {
  const auto* const found = web::find_asset(request.path);
  if (found == nullptr)
    return net::text_response(404, "there is nothing here; the chat page is at /");
  net::page_response response;
  response.content_type = found->content_type;
  response.etag = found->etag;
  response.headers.emplace_back("Cache-Control", "no-cache");
  response.headers.emplace_back(
    "Content-Security-Policy",
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self' ws: wss:; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  const auto known = net::all_lines(request.header, boost::beast::http::field::if_none_match);
  if (!found->etag.empty() && net::names_etag(known, found->etag))
    response.status = 304;
  else
    response.static_body = found->body;
  return response;
}

} // namespace

void add_public_pages(net::router& paths) { paths.add_page("/{path*}", {}, public_page); }

} // namespace canang::app
