#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::net {

/// A request's headers as Beast reads them; no request of ours has a body.
using http_request_header = boost::beast::http::request<boost::beast::http::empty_body>;

/// A request as the pages see it. All views are valid during the call only.
struct page_request {
  std::string_view path;
  std::string_view query;
  std::string_view if_none_match; ///< all lines of it, as one list
  std::string_view host{}; ///< `host[:port]` that is asked for; empty where HTTP/1.0 says none
  std::string_view authorization{}; ///< empty where there is none
};

/// An answer to a request that is not an upgrade.
struct page_response {
  unsigned status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string body;
  std::string_view
    static_body; ///< used instead of `body` when not empty; lives as long as the program
  std::string_view etag;
  std::vector<std::pair<std::string, std::string>> headers;
};

/// Takes the answer to a request that was not answered at once.
using page_responder = std::function<void(page_response&&)>;

/// A line of text with a status.
[[nodiscard]] inline page_response text_response(unsigned status, std::string text) {
  page_response response;
  response.status = status;
  response.body = std::move(text);
  response.body += '\n';
  return response;
}

} // namespace canang::net
