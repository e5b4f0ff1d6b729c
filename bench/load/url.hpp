#pragma once

#include <string>
#include <string_view>

namespace canang::load {

/// A WebSocket URL, taken apart.
struct url {
  std::string host; ///< without the brackets of IPv6
  std::string port; ///< digits
  std::string path; ///< at least "/"
  std::string query;

  /// Value of the Host header.
  std::string authority() const;
};

/// Takes apart ws://host[:port][/path][?query]; throws std::invalid_argument that says what is
/// wrong.
url parse_url(std::string_view text);

} // namespace canang::load
