#include "app/jwks_url.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace canang::app {

namespace {

bool is_loopback(const std::string& host) {
  boost::system::error_code ec;
  const auto address = boost::asio::ip::make_address(host, ec);
  return host == "localhost" || (!ec && address.is_loopback());
}

/// Boost.URL takes any digits.
bool is_port(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc{} && end == digits.data() + digits.size() && port != 0;
}

} // namespace

bool looks_like_url(std::string_view text) noexcept {
  return text.find("://") != std::string_view::npos;
}

std::variant<jwks_url, std::string> parse_jwks_url(std::string_view text) {
  constexpr std::size_t longest = 2048;
  const auto parsed = boost::urls::parse_uri(text);
  if (text.size() > longest || parsed.has_error())
    return std::string{"the URL cannot be read"};
  const auto& url = *parsed;
  const bool uses_tls = url.scheme() == "https";
  if ((!uses_tls && url.scheme() != "http") || url.host().empty())
    return std::string{"expected https://HOST[:PORT][/PATH], or http"};
  const std::string host{url.host_address()};
  if (std::any_of(host.begin(), host.end(), [](unsigned char c) { return c <= ' ' || c >= 0x7f; }))
    return std::string{"the URL's host is neither a name nor an address"};
  if (url.has_port() && !is_port(url.port()))
    return std::string{"the URL's port is not one of 1 to 65535"};
  if (url.has_userinfo() || url.has_fragment())
    return std::string{"the URL may have neither a user nor a fragment"};
  jwks_url made{.uses_tls = uses_tls,
                .host = host,
                .port = url.has_port() ? std::string{url.port()}
                        : uses_tls     ? "443"
                                       : "80",
                .target = std::string{url.encoded_resource()},
                .shown = fmt::format("{}://{}{}", std::string_view{url.scheme()},
                                     std::string_view{url.encoded_host_and_port()},
                                     std::string_view{url.encoded_path()})};
  if (made.target.empty() || made.target.front() != '/')
    made.target.insert(made.target.begin(), '/');
  made.is_safe = uses_tls || is_loopback(made.host);
  return made;
}

} // namespace canang::app
