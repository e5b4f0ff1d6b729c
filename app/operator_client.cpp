#include "app/operator_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
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
#include <memory>
#include <stdexcept>
#include <string>

namespace canang::app {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;

constexpr std::chrono::seconds patience{5};

struct request_plan {
  http::verb method;
  std::string host;
  std::string port;
  std::string target;
  bool is_tls;
};

/// A node that listens everywhere is asked by way of the loopback.
std::string reachable(const operator_order& order) {
  auto address = order.internal.address();
  if (address.is_unspecified())
    address = address.is_v6() ? asio::ip::address{asio::ip::address_v6::loopback()}
                              : asio::ip::address{asio::ip::address_v4::loopback()};
  return (order.tls.empty() ? "http://" : "https://")
         + net::to_text({address, order.internal.port()});
}

/// @throws boost::system::system_error when `text` is no URL, std::runtime_error when it is no http one
request_plan plan(http::verb method, const std::string& text, std::string_view default_path) {
  const auto url = boost::urls::parse_uri(text).value();
  if ((url.scheme() != "http" && url.scheme() != "https") || url.host().empty())
    throw std::runtime_error{"expected http://HOST[:PORT][/PATH], or https"};
  const bool is_tls = url.scheme() == "https";
  request_plan made{.method = method,
                    .host = std::string{url.host_address()},
                    .port = url.has_port() ? std::string{url.port()}
                            : is_tls       ? "443"
                                           : "80",
                    .target = std::string{url.encoded_resource()},
                    .is_tls = is_tls};
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

/// Asks over a stream that is connected.
template <class Stream>
http::response<http::string_body> ask_over(asio::io_context& io, Stream& stream,
                                           const request_plan& asked, std::string_view key) {
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

/// Of a client that knows the node by its certificate, or by the system's authorities.
/// @throws boost::system::system_error when a file cannot be used
ssl::context context_of(const request_plan& asked, const net::tls_files& files) {
  ssl::context context{ssl::context::tls_client};
  context.set_verify_mode(ssl::verify_peer);
  if (files.empty()) {
    context.set_default_verify_paths();
    context.set_verify_callback(ssl::host_name_verification{asked.host});
    return context;
  }
  context.use_certificate_chain_file(files.certificate);
  context.use_private_key_file(files.key.empty() ? files.certificate : files.key,
                               ssl::context::pem);
  const std::shared_ptr<X509> own{SSL_CTX_get0_certificate(context.native_handle()),
                                  [](X509*) {}}; // the context's
  context.set_verify_callback([own](bool, ssl::verify_context& at) {
    // whatever stands above it: it is the one in the file
    return X509_STORE_CTX_get_error_depth(at.native_handle()) > 0
           || X509_cmp(X509_STORE_CTX_get0_cert(at.native_handle()), own.get()) == 0;
  });
  return context;
}

http::response<http::string_body> fetch(const request_plan& asked, const operator_order& order) {
  asio::io_context io;
  const auto found = asio::ip::tcp::resolver{io}.resolve(asked.host, asked.port);
  boost::beast::tcp_stream stream{io};
  stream.expires_after(patience);
  finish(io, [&](auto handler) { stream.async_connect(found, handler); });
  if (!asked.is_tls)
    return ask_over(io, stream, asked, order.key);
  auto context = context_of(asked, order.tls);
  ssl::stream<boost::beast::tcp_stream&> secured{stream, context};
  SSL_set_tlsext_host_name(secured.native_handle(), asked.host.c_str());
  finish(io, [&](auto handler) { secured.async_handshake(ssl::stream_base::client, handler); });
  return ask_over(io, secured, asked, order.key);
}

int ask(http::verb method, const operator_order& order, std::string_view default_path) {
  const auto url = order.url.empty() ? reachable(order) : order.url;
  try {
    const auto response = fetch(plan(method, url, default_path), order);
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
