#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace canang::app {

/// Where a key set is fetched from.
struct jwks_url {
  bool uses_tls = true;
  std::string host;    ///< a name, or an address without brackets
  std::string port;    ///< in digits
  std::string target;  ///< of the request, with the query
  std::string shown;   ///< for logs: without the query, which may have a secret
  bool is_safe = true; ///< uses TLS, or stays on this machine

  friend bool operator==(const jwks_url&, const jwks_url&) = default;
};

/// Whether a text is meant as a URL, and not as the path of a file.
[[nodiscard]] bool looks_like_url(std::string_view text) noexcept;

/// Reads `https://HOST[:PORT][/PATH][?QUERY]`, or the same with http.
/// @returns a line that says what is wrong where it is none; without the text, of which a part may be secret.
[[nodiscard]] std::variant<jwks_url, std::string> parse_jwks_url(std::string_view text);

} // namespace canang::app
