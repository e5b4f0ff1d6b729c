#include "app/console_pages.hpp"

#include "app/admin/console_access.hpp"
#include "web/assets.hpp"

#include <string_view>

namespace canang::app {

namespace {

/// It shares its icon with the chat page.
const web::asset* find(std::string_view path) {
  return path == "/console/favicon.svg" ? web::find_asset("/favicon.svg")
                                        : web::find_console_asset(path);
}

net::page_response console_page(const net::http_request& request) {
  const auto* const found = find(request.path);
  if (found == nullptr)
    return net::text_response(404, "there is nothing here; the console is at /console");
  net::page_response response;
  response.content_type = found->content_type;
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back(
    "Content-Security-Policy",
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  response.static_body = found->body;
  return response;
}

} // namespace

void add_console_pages(net::router& paths, bool has_key) {
  const net::route_options open{.is_open = true};
  const auto page = [has_key](const net::http_request& request) {
    return has_key ? console_page(request) : admin::console_needs_key();
  };
  paths.add_page("/console", open, page);
  paths.add_page("/console/{path*}", open, page);
}

} // namespace canang::app
