#pragma once

#include "net/http/types.hpp"

#include <boost/beast/http/string_body.hpp>

namespace canang::net {

using http_response = boost::beast::http::response<boost::beast::http::string_body>;

/// The message of an answer, as it goes over the wire.
struct response_form {
  bool is_head = false;     ///< the request was a HEAD: no body
  bool close_after = false; ///< the connection ends with it
};
[[nodiscard]] http_response make_response(const page_response& response, response_form form);

} // namespace canang::net
