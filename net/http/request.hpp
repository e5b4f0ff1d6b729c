#pragma once

#include "net/http/path_pattern.hpp"
#include "net/http/target.hpp"
#include "net/http/types.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace canang::net {

/// A request as guards and handlers get it. It and all its views are valid during the call only, and no
/// longer than until `responder::take_over`.
struct http_request {
  const http_request_header& header; ///< its method and its fields; HEAD comes to what answers GET
  std::string_view path{};           ///< as it stands in the target
  std::string_view query{};          ///< see `query_value`
  std::string_view host{};           ///< `host[:port]` asked for; empty where HTTP/1.0 says none
  path_values values{};              ///< what the route's pattern names, as it stands: see `value`
  std::string_view body{};           ///< whole; empty in guards, which are asked before it is read
  /// The page that may read the answer, for routes that ask for CORS; empty where none does. Who takes the
  /// connection over has to name it, see `cors_fields`.
  std::string_view cors_origin{};

  /// A field's value, or empty.
  [[nodiscard]] std::string_view field(boost::beast::http::field name) const {
    return header[name];
  }

  /// What the path has for `{name}`, decoded; nothing where it is badly encoded.
  [[nodiscard]] std::optional<std::string> value(std::string_view name) const {
    return percent_decode(values[name]);
  }
};

} // namespace canang::net
