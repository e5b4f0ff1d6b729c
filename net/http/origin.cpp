#include "net/http/origin.hpp"

#include "net/http/authority.hpp"

#include <algorithm>
#include <utility>

namespace canang::net {

namespace {

constexpr std::string_view scheme_end = "://";
constexpr std::string_view below = "*.";

/// scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ), in lower case (RFC 3986, 3.1)
bool is_scheme(std::string_view text) noexcept {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !text.empty() && is_letter(text.front())
         && std::all_of(text.begin(), text.end(), [&](char c) {
              return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
            });
}

} // namespace

/// `scheme://host[:port]` (RFC 6454, 6.2).
std::optional<origin_rules::pattern> origin_rules::parse(std::string_view text) {
  const auto mark = text.find(scheme_end);
  if (mark == std::string_view::npos)
    return std::nullopt;
  pattern found;
  found.scheme = to_lower(text.substr(0, mark));
  const auto rest = parse_authority(text.substr(mark + scheme_end.size()));
  if (!is_scheme(found.scheme) || !rest || rest->host.empty())
    return std::nullopt;
  found.host = to_lower(rest->host);
  found.port = rest->port.value_or(default_port(found.scheme));
  return found;
}

bool origin_rules::add(std::string_view item) {
  if (item == "*") {
    any_ = true;
  } else if (item == "null") {
    null_ = true;
  } else if (item == "same-host") {
    same_host_ = true;
  } else {
    auto given = parse(item);
    if (!given)
      return false;
    given->is_suffix = given->host.starts_with(below);
    if (given->is_suffix)
      given->host.erase(0, 1);
    if (given->host.find('*') != std::string::npos || given->host == ".")
      return false;
    patterns_.push_back(std::move(*given));
  }
  is_default_ = false;
  return true;
}

bool origin_rules::allows(std::string_view origin, std::string_view host) const {
  if (any_ || (null_ && origin == "null"))
    return true;
  const auto from = parse(origin);
  if (!from)
    return false;
  if (same_host_ || is_default_) {
    // TLS may have ended before us: a host without a port is taken to be of the page's scheme
    const auto asked = parse_authority(host);
    if (asked && to_lower(asked->host) == from->host
        && asked->port.value_or(default_port(from->scheme)) == from->port)
      return true;
  }
  return std::any_of(patterns_.begin(), patterns_.end(), [&](const pattern& allowed) {
    const bool is_host = allowed.is_suffix ? from->host.size() > allowed.host.size()
                                               && from->host.ends_with(allowed.host)
                                           : from->host == allowed.host;
    return is_host && allowed.scheme == from->scheme && allowed.port == from->port;
  });
}

} // namespace canang::net
