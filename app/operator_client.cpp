#include "app/operator_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <chrono>
#include <exception>
#include <iostream>

namespace canang::app {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::chrono::seconds patience{5};

struct request_plan {
  http::verb method;
  std::string host;
  std::string port;
  std::string target;
};

/// A node that listens everywhere is asked by way of the loopback.
std::string reachable(const net::tcp_endpoint& internal) {
  auto address = internal.address();
  if (address.is_unspecified())
    address = address.is_v6() ? asio::ip::address{asio::ip::address_v6::loopback()}
                              : asio::ip::address{asio::ip::address_v4::loopback()};
  return "http://" + net::to_text({address, internal.port()});
}

/// @throws boost::system::system_error when `text` is no URL, std::runtime_error when it is no http one
request_plan plan(http::verb method, const std::string& text, std::string_view default_path) {
  const auto url = boost::urls::parse_uri(text).value();
  if (url.scheme() != "http" || url.host().empty())
    throw std::runtime_error{"expected http://HOST[:PORT][/PATH]"};
  request_plan made{method, std::string{url.host_address()},
                    url.has_port() ? std::string{url.port()} : "80",
                    std::string{url.encoded_resource()}};
  if (url.encoded_path().empty() || url.encoded_path() == "/")
    made.target = default_path;
  return made;
}

/// Runs one asynchronous operation to its end, which the stream's deadline brings at the latest.
/// @throws boost::system::system_error when it fails
template <class Start>
void finish(asio::io_context& io, Start start) {
  boost::system::error_code result;
  start([&](const boost::system::error_code& ec, const auto&...) { result = ec; });
  io.restart();
  io.run();
  if (result)
    throw boost::system::system_error{result};
}

http::response<http::string_body> fetch(const request_plan& asked, std::string_view key) {
  asio::io_context io;
  const auto found = asio::ip::tcp::resolver{io}.resolve(asked.host, asked.port);
  boost::beast::tcp_stream stream{io};
  stream.expires_after(patience);
  finish(io, [&](auto handler) { stream.async_connect(found, handler); });
  http::request<http::empty_body> request{asked.method, asked.target, 11};
  request.set(http::field::host, asked.host);
  if (!key.empty())
    request.set(http::field::authorization, "Bearer " + std::string{key});
  request.set(http::field::connection, "close");
  request.prepare_payload();
  finish(io, [&](auto handler) { http::async_write(stream, request, handler); });
  boost::beast::flat_buffer buffer;
  http::response<http::string_body> response;
  finish(io, [&](auto handler) { http::async_read(stream, buffer, response, handler); });
  return response;
}

int ask(http::verb method, const operator_order& order, std::string_view default_path) {
  const auto url = order.url.empty() ? reachable(order.internal) : order.url;
  try {
    const auto response = fetch(plan(method, url, default_path), order.key);
    auto body = response.body();
    if (!body.ends_with('\n'))
      body += '\n';
    std::cout << body;
    return http::to_status_class(response.result()) == http::status_class::successful ? 0 : 1;
  } catch (const std::exception& fault) {
    std::cerr << "canang: " << url << ": " << fault.what() << '\n';
    return 1;
  }
}

} // namespace

int ask_health(const operator_order& order) { return ask(http::verb::get, order, "/readyz"); }

int order_drain(const operator_order& order) { return ask(http::verb::post, order, "/drain"); }

} // namespace canang::app
