#include "net/http/response.hpp"

namespace canang::net {

http_response make_response(const page_response& response, response_form form) {
  namespace http = boost::beast::http;
  http_response message{static_cast<http::status>(response.status), 11};
  message.set(http::field::server, "canang");
  const bool has_content = response.status != 304 && response.status != 204;
  if (response.status != 204)
    message.set(http::field::content_type, response.content_type);
  message.set("X-Content-Type-Options", "nosniff");
  if (!response.etag.empty())
    message.set(http::field::etag, response.etag);
  for (const auto& [name, value] : response.headers)
    message.set(name, value);
  const auto body =
    response.static_body.empty() ? std::string_view{response.body} : response.static_body;
  if (has_content)
    message.content_length(body.size());
  if (!form.is_head && has_content)
    message.body() = body;
  if (form.close_after)
    message.set(http::field::connection,
                message[http::field::connection] == "Upgrade" ? "Upgrade, close" : "close");
  return message;
}

} // namespace canang::net
