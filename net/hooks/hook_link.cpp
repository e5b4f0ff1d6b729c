#include "net/hooks/hook_link.hpp"

#include "net/hooks/hook_answer.hpp"
#include "net/http/client.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>
#include <openssl/err.h>

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <optional>

namespace canang::net {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

/// Of an answer's status line and header, in bytes: as much as servers of HTTP take of a request.
constexpr std::uint32_t max_header_bytes = 16 * 1024;

/// What a proxy says of a program that does not answer it (RFC 9110, 15.6).
bool is_of_proxy(unsigned status) noexcept { return status >= 502 && status <= 504; }

class link final : public hook_link, public std::enable_shared_from_this<link> {
public:
  link(asio::io_context& io, const hook_endpoint& to, ssl::context& tls)
    : to_(to), resolver_(io), stream_(io, tls) {}

  void send(hook_message&& message, const std::string& target, handler done) override {
    request_ = {http::verb::post, target, 11};
    request_.set(http::field::host, host_field(to_.host, to_.port, to_.uses_tls));
    request_.set(http::field::user_agent, "canang");
    request_.set(http::field::accept, "application/json");
    request_.set(http::field::content_type, "application/json");
    for (const auto& [name, value] : message.headers)
      request_.erase(name); // what clients say of themselves goes before what we do
    for (const auto& [name, value] : message.headers)
      request_.insert(name, value);
    request_.body() = std::move(message.body);
    request_.prepare_payload();
    done_ = std::move(done);
    is_kept_ = false;
    answer_.reset();
    if (is_connected_)
      write();
    else
      find();
  }

  void close() override {
    done_ = nullptr;
    end();
  }

  /// What comes unasked belongs to no request. With TLS it may have been read with the answer.
  bool is_reusable() override {
    if (!is_kept_)
      return false;
    auto* const tls = stream_.native_handle();
    if (to_.uses_tls && (SSL_has_pending(tls) != 0 || BIO_pending(SSL_get_rbio(tls)) > 0))
      return false;
    char byte = 0;
    const auto got = ::recv(socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }

private:
  tcp::socket& socket() { return stream_.next_layer(); }

  /// Calls `use` with what requests go over.
  template <class Use>
  void with_stream(Use use) {
    if (to_.uses_tls)
      use(stream_);
    else
      use(stream_.next_layer());
  }

  /// An address is looked up here: the resolver does one thing after the other.
  void find() {
    const auto address = address_of_host(to_.host);
    std::uint16_t port = 0;
    std::from_chars(to_.port.data(), to_.port.data() + to_.port.size(), port);
    if (address)
      connect(std::array{tcp::endpoint{*address, port}});
    else
      resolve();
  }

  void resolve() {
    resolver_.async_resolve(
      to_.host, to_.port,
      [self = shared_from_this()](const error_code& ec, const tcp::resolver::results_type& found) {
        if (!self->fails(ec))
          self->connect(found);
      });
  }

  template <class Endpoints>
  void connect(const Endpoints& found) {
    asio::async_connect(socket(), found,
                        [self = shared_from_this()](const error_code& ec, const tcp::endpoint&) {
                          if (self->fails(ec))
                            return;
                          error_code ignored;
                          self->socket().set_option(tcp::no_delay{true}, ignored);
                          if (self->to_.uses_tls)
                            self->shake_hands();
                          else
                            self->write();
                        });
  }

  void shake_hands() {
    expect_server(stream_, to_.host);
    stream_.async_handshake(ssl::stream_base::client,
                            [self = shared_from_this()](const error_code& ec) {
                              if (!self->fails(ec))
                                self->write();
                            });
  }

  void write() {
    is_connected_ = true;
    with_stream([this](auto& stream) {
      http::async_write(stream, request_,
                        [self = shared_from_this()](const error_code& ec, std::size_t) {
                          if (!self->fails(ec))
                            self->read_header();
                        });
    });
  }

  void read_header() {
    auto& answer = answer_.emplace();
    answer.body_limit(max_hook_answer_bytes);
    answer.header_limit(max_header_bytes);
    with_stream([&](auto& stream) {
      http::async_read_header(stream, buffer_, answer,
                              [self = shared_from_this()](const error_code& ec, std::size_t) {
                                if (!self->fails(ec))
                                  self->on_header();
                              });
    });
  }

  void on_header() {
    const auto status = answer_->get().result_int();
    if (status >= 100 && status < 200 && status != 101) {
      read_header(); // it goes before the answer (RFC 9110, 15.2)
      return;
    }
    if (status < 200 || status > 299) {
      end();
      tell({.result = hook_result_kind::status,
            .status = status,
            .why = fmt::format("the answer has status {}", status),
            .is_of_program = !is_of_proxy(status)});
      return;
    }
    with_stream([this](auto& stream) {
      http::async_read(stream, buffer_, *answer_,
                       [self = shared_from_this()](const error_code& ec, std::size_t) {
                         if (!self->fails(ec))
                           self->on_answer();
                       });
    });
  }

  void on_answer() {
    is_kept_ = answer_->get().keep_alive() && buffer_.size() == 0;
    const auto status = answer_->get().result_int();
    const std::string_view traceparent = answer_->get()["traceparent"];
    std::string trace{traceparent};
    auto body = std::move(answer_->get().body());
    if (!is_kept_)
      end();
    tell({.result = hook_result_kind::ok,
          .status = status,
          .body = std::move(body),
          .traceparent = std::move(trace),
          .is_of_program = true});
  }

  /// Tells of a failed step, unless it was closed meanwhile.
  bool fails(const error_code& ec) {
    if (!done_) {
      end(); // a step that had not failed when it was closed may have
      return true;
    }
    if (!ec)
      return false;
    end();
    ERR_clear_error();
    if (ec == http::error::body_limit || ec == http::error::buffer_overflow)
      tell({.result = hook_result_kind::too_large,
            .why = "the answer is longer than 64 KiB",
            .is_of_program = true});
    else if (ec == http::error::header_limit)
      tell({.result = hook_result_kind::too_large,
            .why = "the header of the answer is longer than 16 KiB",
            .is_of_program = true});
    else if (ec.category() == http::make_error_code(http::error::bad_version).category()
             && ec != http::error::end_of_stream && ec != http::error::partial_message)
      tell({.result = hook_result_kind::bad_answer,
            .why = "the answer is no HTTP: " + ec.message(),
            .is_of_program = true});
    else
      tell({.result = hook_result_kind::unreachable,
            .why = ec.message(),
            .is_unheard = !answer_ || !answer_->got_some()});
    return true;
  }

  void end() {
    is_connected_ = false;
    is_kept_ = false;
    error_code ignored;
    resolver_.cancel();
    socket().close(ignored);
  }

  void tell(hook_reply&& reply) {
    const auto done = std::exchange(done_, nullptr);
    done(std::move(reply));
  }

  const hook_endpoint& to_;
  tcp::resolver resolver_;
  ssl::stream<tcp::socket> stream_; // its inner one where there is no TLS
  http::request<http::string_body> request_;
  boost::beast::flat_buffer buffer_{max_header_bytes + max_hook_answer_bytes};
  std::optional<http::response_parser<http::string_body>> answer_;
  handler done_;
  bool is_connected_ = false;
  bool is_kept_ = false;
};

} // namespace

std::shared_ptr<hook_link> make_hook_link(asio::io_context& io, const hook_endpoint& to,
                                          ssl::context& tls) {
  return std::make_shared<link>(io, to, tls);
}

} // namespace canang::net
