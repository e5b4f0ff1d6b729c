#include "net/http/session.hpp"

#include "net/http/forwarded.hpp"
#include "net/http/request_checks.hpp"
#include "net/http/session_impl.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/none.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>
#include <utility>

namespace canang::net {

namespace http = boost::beast::http;

namespace {

/// A record of TLS with a handshake message (RFC 8446, 5.1), the first that a client sends.
bool is_client_hello(boost::asio::const_buffer read) noexcept {
  const std::string_view bytes{static_cast<const char*>(read.data()), read.size()};
  return bytes.starts_with("\x16\x03");
}

} // namespace

http_session::http_session(loop_context& context, const router& paths, client_socket&& socket,
                           address_counts::arrival&& from, const arrival_rules* rules,
                           std::string_view already_read)
  : context_(context),
    paths_(paths),
    socket_(std::move(socket)),
    from_(std::move(from)),
    rules_(rules),
    buffer_(context.limits.max_header_bytes) {
  if (rules_ != nullptr && rules_->proxies != nullptr
      && rules_->proxies->field != forwarded_field::off)
    proxy_ = socket_.client();
  if (proxy_ && !rules_->trust(*proxy_))
    proxy_.reset();
  buffer_.commit(boost::asio::buffer_copy(buffer_.prepare(already_read.size()),
                                          boost::asio::buffer(already_read)));
  context_.http.enter(*this, context_.now());
}

http_session::~http_session() { context_.http.leave(*this); }

void http_session::await_request() {
  state_ = state::reading_request;
  empty_lines_ = 0;
  asked_.reset(); // it looks into the parser
  context_.deadlines.schedule(*this, context_.now() + context_.limits.handshake_timeout);
  read_request();
}

void http_session::read_request() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(context_.limits.max_header_bytes));
  parser_->body_limit(boost::none); // each route has its own
  http::async_read_header(socket_, buffer_, *parser_,
                          [self = pointer{this}](const error_code& ec, std::size_t size) {
                            self->context_.metrics.received_bytes_total.add(size);
                            self->on_request(ec);
                          });
}

void http_session::on_deadline(clock::time_point) {
  switch (state_) {
  case state::waiting: on_late_answer(requests_, no_answer()); return;
  case state::reading_body:
    end_body_early(text_response(408, "the body did not come in time"));
    return;
  default: break;
  }
  if (requests_ == 0)
    context_.metrics.rejected_total[static_cast<std::size_t>(reject_reason::timeout)].add(1);
  close();
}

/// Where no answer is on its way the connection is reset, so that nothing of it is left in the kernel.
void http_session::give_way() {
  context_.metrics.http_displaced_total.add(1);
  if (requests_ == 0 && !response_) {
    context_.metrics.rejected_total[static_cast<std::size_t>(reject_reason::crowded)].add(1);
    error_code ignored;
    socket_.set_option(boost::asio::socket_base::linger{true, 0}, ignored);
  }
  close();
}

/// Takes empty lines off the front of what was read (RFC 9112, 2.2). Beast refuses them.
/// @returns whether a request may follow.
bool http_session::skip_empty_lines() {
  const auto before = empty_lines_;
  for (;;) {
    const auto rest = buffer_.data();
    const std::string_view bytes{static_cast<const char*>(rest.data()), rest.size()};
    if (bytes.starts_with("\r\n") && empty_lines_ < max_empty_lines) {
      buffer_.consume(2);
      ++empty_lines_;
      continue;
    }
    if (bytes == "\r") { // its line feed is on the way
      socket_.async_read_some(buffer_.prepare(1),
                              [self = pointer{this}](const error_code& ec, std::size_t size) {
                                self->buffer_.commit(size);
                                self->context_.metrics.received_bytes_total.add(size);
                                self->on_request(ec ? ec : http::error::bad_method);
                              });
      return true;
    }
    if (empty_lines_ == before)
      return false;
    read_request();
    return true;
  }
}

void http_session::on_request(const error_code& ec) {
  if (!socket_.is_open())
    return;
  if (ec) {
    if (ec != http::error::bad_method || !skip_empty_lines())
      on_bad_request(ec);
    return;
  }
  ++requests_;
  asked_at_ = context_.now();
  asked_bytes_ = 0;
  context_.http.note_request(*this, asked_at_);
  const auto& request = parser_->get();
  keep_alive_ =
    parser_->keep_alive() && !has_body(request) && requests_ < max_requests_a_connection;
  if (!note_client())
    return;
  if (from_.what != address_counts::verdict::served) {
    refuse(reject_for_now(reject_reason::address));
    return;
  }
  if (auto wrong = check_request(request)) {
    refuse(std::move(*wrong));
    return;
  }
  const auto target = read_target(request.target());
  if (!target) {
    refuse(
      reject(reject_reason::bad_request, 400, "the target is neither a path nor a URL of http"));
    return;
  }
  asked_.emplace(http_request{
    .header = request,
    .path = target->path,
    .query = target->query,
    .host = host_of(request, *target),
  });
  route();
}

/// For whom a trusted proxy makes this request: from now on that is who the connection is of, and who counts.
/// @returns false where it was refused.
bool http_session::note_client() {
  if (!proxy_)
    return true;
  const auto said = read_forwarded(parser_->get(), *rules_->proxies);
  if (said.what == forwarded_client::finding::bad) {
    refuse(reject(reject_reason::bad_request, 400, "Forwarded cannot be read"));
    return false;
  }
  const auto& client = said.what == forwarded_client::finding::found ? said.address : *proxy_;
  const auto* const told = socket_.told_client();
  if (client == (told == nullptr ? *proxy_ : *told))
    return true;
  socket_.tell_client(client);
  from_ = {}; // the place of another client goes first
  from_ = rules_->arrive(client);
  return true;
}

void http_session::on_bad_request(const error_code& ec) {
  keep_alive_ = false;
  if (requests_ == 0 && is_client_hello(buffer_.data())) {
    on_client_hello();
    return;
  }
  if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
    refuse(reject(reject_reason::headers_too_large, 431,
                  "the request line and headers are over "
                    + std::to_string(context_.limits.max_header_bytes) + " bytes"));
  else if (ec == http::error::end_of_stream || ec == http::error::partial_message
           || ec.category() != make_error_code(http::error{}).category())
    close(); // the client left, or was never one
  else
    refuse(reject(reject_reason::bad_request, 400, "not an HTTP request: " + ec.message()));
}

/// Of a client that speaks TLS to a port that does not: what we could say it would not understand.
void http_session::on_client_hello() {
  context_.metrics.rejected_total[static_cast<std::size_t>(reject_reason::bad_request)].add(1);
  if (spdlog::should_log(spdlog::level::debug)) {
    const auto client = socket_.client();
    spdlog::debug("shut peer={} reason={} text=\"TLS on a plain port\"",
                  client ? client_text(*client) : std::string{},
                  to_string(reject_reason::bad_request));
  }
  linger();
}

/// Says that nothing more comes, and waits for the client to close: closed at once, with unread input, the
/// connection would be reset.
void http_session::linger() {
  state_ = state::replying;
  socket_.end_output();
  context_.deadlines.schedule(*this, context_.now() + linger_timeout);
  requests_ = std::max(requests_, 1U); // the deadline that follows is no failed handshake
  discard_input();
}

/// Reads on until the client closes, so that what it still sends does not destroy our answer.
void http_session::discard_input() {
  buffer_.clear();
  socket_.async_read_some(buffer_.prepare(std::min<std::size_t>(4096, buffer_.max_size())),
                          [self = pointer{this}](const error_code& ec, std::size_t) {
                            if (ec)
                              self->close();
                            else
                              self->discard_input();
                          });
}

void http_session::close() {
  cancel();
  state_ = state::over;
  context_.http.leave(*this);
  body_.reset();
  due_.reset();
  if (auto* const layer = socket_.layer(); layer != nullptr && socket_.is_open())
    layer->end(socket_.native_handle());
  error_code ignored;
  socket_.close(ignored);
  socket_.drop_layer();
  from_.ticket = address_ticket{};
}

void serve_http(loop_context& context, const router& paths, client_socket&& socket,
                address_counts::arrival&& from, const arrival_rules* rules,
                std::string_view already_read) {
  const boost::intrusive_ptr<http_session> session{
    new http_session{context, paths, std::move(socket), std::move(from), rules, already_read}};
  session->await_request();
}

} // namespace canang::net
