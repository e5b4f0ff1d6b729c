#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::net {

/// A request's line and headers as Beast reads them; bodies are read by `body_reader`.
using http_request_header = boost::beast::http::request<boost::beast::http::empty_body>;

using http_method = boost::beast::http::verb;

/// An answer to a request that is not an upgrade.
struct page_response {
  unsigned status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string body;
  std::string_view
    static_body; ///< used instead of `body` when not empty; lives as long as the program
  std::string_view etag;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string note{}; ///< what the access log says of it beside its status, such as `error=102`
};

/// A line of text with a status.
[[nodiscard]] inline page_response text_response(unsigned status, std::string text) {
  page_response response;
  response.status = status;
  response.body = std::move(text);
  response.body += '\n';
  return response;
}

} // namespace canang::net
