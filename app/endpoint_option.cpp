#include "app/endpoint_option.hpp"

#include "app/jwks_url.hpp"
#include "app/option_adder.hpp"

#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <variant>

namespace canang::app {

void take_endpoint(const std::string& flag, const std::string& text,
                   std::optional<net::hook_endpoint>& into) {
  auto parsed = parse_jwks_url(text);
  if (const auto* const fault = std::get_if<std::string>(&parsed))
    refuse_option(flag, *fault);
  auto& url = std::get<jwks_url>(parsed);
  into = net::hook_endpoint{.uses_tls = url.uses_tls,
                            .host = std::move(url.host),
                            .port = std::move(url.port),
                            .target = std::move(url.target),
                            .shown = std::move(url.shown),
                            .is_safe = url.is_safe};
}

bool says_how_it_is_sent(std::string_view name) noexcept {
  static constexpr std::array<std::string_view, 12> names{
    "host",         "connection",        "content-length",
    "content-type", "transfer-encoding", "te",
    "trailer",      "upgrade",           "expect",
    "keep-alive",   "proxy-connection",  "content-encoding"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

void take_authorities(const std::string& flag, const std::string& path, std::string& into) {
  const std::unique_ptr<X509_STORE, void (*)(X509_STORE*)> store{X509_STORE_new(), X509_STORE_free};
  if (X509_STORE_load_file(store.get(), path.c_str()) != 1)
    refuse_option(flag, fmt::format("'{}' has no certificates in PEM", path));
  into = path;
}

} // namespace canang::app
