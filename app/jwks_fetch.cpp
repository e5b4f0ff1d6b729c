#include "app/jwks_fetch.hpp"

#include "net/auth/token_limits.hpp"
#include "net/http/client.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>
#include <openssl/err.h>

#include <exception>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace canang::app {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace ssl = asio::ssl;
using boost::system::error_code;
using boost::system::system_error;

constexpr std::uint32_t max_answer_header_bytes = 16 * 1024;

http::request<http::empty_body> request_for(const jwks_url& url) {
  http::request<http::empty_body> request{http::verb::get, url.target, 11};
  request.set(http::field::host, net::host_field(url.host, url.port, url.uses_tls));
  request.set(http::field::accept, "application/jwk-set+json, application/json");
  request.set(http::field::user_agent, "canang");
  request.set(http::field::connection, "close");
  return request;
}

} // namespace

/// Runs one asynchronous operation to its end, which the stream's deadline brings at the latest, or `stop`.
/// @throws system_error when it fails
template <class Start>
void jwks_fetch::step(Start start) {
  error_code result = asio::error::operation_aborted;
  start([&result](const error_code& ec, const auto&...) { result = ec; });
  io_.restart();
  if (!is_stopped_) // set before the context is stopped: if it is missed here, `run` ends at once
    io_.run();
  if (is_stopped_)
    result = asio::error::operation_aborted;
  if (result)
    throw system_error{result};
}

template <class Stream>
std::string jwks_fetch::ask(Stream& stream, const jwks_url& url) {
  const auto request = request_for(url);
  step([&](auto handler) { http::async_write(stream, request, std::move(handler)); });
  http::response_parser<http::string_body> answer;
  answer.body_limit(net::max_key_set_bytes);
  answer.header_limit(max_answer_header_bytes);
  boost::beast::flat_buffer buffer{max_answer_header_bytes + net::max_key_set_bytes};
  step([&](auto handler) { http::async_read_header(stream, buffer, answer, std::move(handler)); });
  if (answer.get().result() != http::status::ok)
    throw std::runtime_error{fmt::format("the answer has status {}", answer.get().result_int())};
  step([&](auto handler) { http::async_read(stream, buffer, answer, std::move(handler)); });
  return std::move(answer.get().body());
}

std::string jwks_fetch::body_of(const jwks_url& url, std::chrono::milliseconds timeout) {
  asio::ip::tcp::resolver resolver{io_};
  asio::ip::tcp::resolver::results_type found;
  step([&](auto handler) {
    resolver.async_resolve(url.host, url.port,
                           [&found, handler](const error_code& ec, const auto& results) mutable {
                             found = results;
                             handler(ec);
                           });
  });
  if (!url.uses_tls) {
    boost::beast::tcp_stream stream{io_};
    stream.expires_after(timeout);
    step([&](auto handler) { stream.async_connect(found, std::move(handler)); });
    return ask(stream, url);
  }
  auto context = net::make_client_tls();
  ssl::stream<boost::beast::tcp_stream> stream{io_, context};
  stream.next_layer().expires_after(timeout);
  step([&](auto handler) { stream.next_layer().async_connect(found, std::move(handler)); });
  net::expect_server(stream, url.host);
  step([&](auto handler) { stream.async_handshake(ssl::stream_base::client, std::move(handler)); });
  return ask(stream, url);
}

jwks_fetch::outcome jwks_fetch::run(const jwks_url& url, std::chrono::milliseconds timeout) {
  try {
    net::token_keys_builder builder;
    if (auto fault = builder.add_jwks(body_of(url, timeout)); !fault.empty())
      return fault;
    return std::move(builder).build();
  } catch (const system_error& fault) {
    ERR_clear_error();
    if (fault.code() == http::error::body_limit || fault.code() == http::error::buffer_overflow)
      return std::string{"the key set is longer than 256 KiB"};
    return fault.code().message();
  } catch (const std::exception& fault) {
    return std::string{fault.what()};
  }
}

void jwks_fetch::stop() {
  is_stopped_ = true;
  io_.stop();
}

} // namespace canang::app
