#pragma once

#include "net/http/types.hpp"

#include <boost/beast/http/field.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace canang::net {

/// Header fields as RFC 9110 has them: a list may stand in several lines, other fields in one only.

/// token = 1*tchar (RFC 9110, 5.6.2)
[[nodiscard]] bool is_token(std::string_view text) noexcept;

/// The items of a list over all lines of its field, in order; empty ones do not count (RFC 9110, 5.6.1.2).
/// Views into the request. Not for fields with quoted strings.
[[nodiscard]] std::vector<std::string_view> list_items(const http_request_header& request,
                                                       boost::beast::http::field name);

/// All lines of a field in one, as a list (RFC 9110, 5.3).
[[nodiscard]] std::string all_lines(const http_request_header& request,
                                    boost::beast::http::field name);

/// Whether a list has this item; upper and lower case are the same.
[[nodiscard]] bool has_item(const http_request_header& request, boost::beast::http::field name,
                            std::string_view item);

/// What `Authorization` has behind the scheme (RFC 9110, 11.4), which is written in lower case here; empty where it
/// names another one.
[[nodiscard]] std::string_view credentials_of(std::string_view authorization,
                                              std::string_view scheme);

/// Whether a page of a web site made a browser ask: all browsers say so of requests that pages make.
[[nodiscard]] bool is_from_page(const http_request_header& request);

/// The name of a field that may stand in one line only and stands in several; empty when there is none.
[[nodiscard]] std::string_view repeated_field(const http_request_header& request);

/// Whether If-None-Match names the entity tag `etag`, compared weakly (RFC 9110, 13.1.2).
[[nodiscard]] bool names_etag(std::string_view if_none_match, std::string_view etag) noexcept;

} // namespace canang::net
