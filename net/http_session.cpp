#include "net/http_session.hpp"

#include "net/dialects/plain.hpp"
#include "net/target.hpp"
#include "net/websocket_session.hpp"

#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace canang::net {

namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

/// Bytes of a valid Sec-WebSocket-Key: 16 bytes in base64 (RFC 6455, 4.2.1).
constexpr std::size_t key_size = 24;

bool is_websocket_key(std::string_view key) noexcept {
  if (key.size() != key_size || !key.ends_with("=="))
    return false;
  for (const char c : key.substr(0, key_size - 2)) {
    const bool valid = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
                       || c == '+' || c == '/';
    if (!valid)
      return false;
  }
  return true;
}

bool has_body(const http_request_header& request) {
  return request.has_content_length() ? request[http::field::content_length] != "0"
                                      : request.count(http::field::transfer_encoding) != 0;
}

struct rejection {
  reject_reason reason;
  page_response response;
};

rejection reject(reject_reason reason, unsigned status, std::string text) {
  return {reason, text_response(status, std::move(text))};
}

/// What is wrong with a handshake apart from its room (RFC 6455, 4.2.1), if anything.
std::optional<rejection> check_handshake(const http_request_header& request) {
  if (request.method() != http::verb::get) {
    auto wrong = reject(reject_reason::bad_method, 405, "a WebSocket handshake is a GET");
    wrong.response.headers.emplace_back("Allow", "GET");
    return wrong;
  }
  if (request.count(http::field::transfer_encoding) != 0)
    return reject(reject_reason::bad_request, 400, "Transfer-Encoding is not allowed here");
  if (has_body(request))
    return reject(reject_reason::bad_request, 400, "a body is not allowed here");
  if (request.version() < 11)
    return reject(reject_reason::bad_request, 400, "a WebSocket handshake needs HTTP/1.1");
  if (!http::token_list{request[http::field::connection]}.exists("upgrade")
      || !http::token_list{request[http::field::upgrade]}.exists("websocket")) {
    auto wrong = reject(reject_reason::not_an_upgrade, 426, "this path speaks WebSocket only");
    wrong.response.headers.emplace_back("Upgrade", "websocket");
    wrong.response.headers.emplace_back("Connection", "Upgrade");
    return wrong;
  }
  if (request[http::field::sec_websocket_version] != "13") {
    auto wrong =
      reject(reject_reason::bad_request, 426, "only WebSocket version 13 is spoken here");
    wrong.response.headers.emplace_back("Upgrade", "websocket");
    wrong.response.headers.emplace_back("Connection", "Upgrade");
    wrong.response.headers.emplace_back("Sec-WebSocket-Version", "13");
    return wrong;
  }
  if (!is_websocket_key(request[http::field::sec_websocket_key]))
    return reject(reject_reason::bad_request, 400, "Sec-WebSocket-Key is missing or not 16 bytes");
  if (request.count(http::field::host) == 0)
    return reject(reject_reason::bad_request, 400, "Host is missing");
  return std::nullopt;
}

/// What comes next goes to another node, if there is a balancer that has one.
constexpr const char* refusal_seconds = "1";

std::string_view refusal_text(reject_reason reason) noexcept {
  switch (reason) {
  case reject_reason::connections: return "this node has as many connections as it may";
  case reject_reason::memory: return "this node has no memory for more connections";
  case reject_reason::rate: return "too many new connections at once";
  default: return "this node takes no new connections";
  }
}

/// One HTTP connection, counted by reference: its pending operation holds it.
class http_session final
  : public boost::intrusive_ref_counter<http_session, boost::thread_unsafe_counter>,
    timing_wheel::entry {
public:
  http_session(loop_context& context, const routes& paths, tcp_socket&& socket)
    : context_(context), paths_(paths), socket_(std::move(socket)), buffer_(max_header_bytes) {}

  void read_request();

private:
  using pointer = boost::intrusive_ptr<http_session>;
  using clock = timing_wheel::clock;

  void on_deadline(clock::time_point) override;
  void on_request(const error_code& ec);
  void on_bad_request(const error_code& ec);
  void answer_page();
  void answer_action(const page_request& asked);
  page_responder responder();
  void on_slow_answer(unsigned request, page_response&& response);
  void answer_handshake(const request_target& target);
  void upgrade(connection_parameters&& parameters);
  void reply(const rejection& wrong);
  void reply(page_response&& response, bool close_after);
  void after_reply(const error_code& ec);
  void discard_input();
  void close();

  loop_context& context_;
  const routes& paths_;
  tcp_socket socket_;
  boost::beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  unsigned requests_ = 0;
  unsigned awaited_ = 0; // the request that waits for a slow page, or 0
  bool keep_alive_ = false;
};

void http_session::read_request() {
  parser_.emplace();
  parser_->header_limit(max_header_bytes);
  context_.deadlines.schedule(*this, context_.now() + context_.limits.handshake_timeout);
  http::async_read_header(socket_, buffer_, *parser_,
                          [self = pointer{this}](error_code ec, std::size_t size) {
                            self->context_.metrics.received_bytes_total.add(size);
                            self->on_request(ec);
                          });
}

void http_session::on_deadline(timing_wheel::clock::time_point) {
  if (awaited_ != 0) {
    auto late = text_response(503, R"({"reason":"no answer in time"})");
    late.content_type = "application/json";
    on_slow_answer(awaited_, std::move(late));
    return;
  }
  if (requests_ == 0)
    context_.metrics.rejected_total[static_cast<std::size_t>(reject_reason::timeout)].add(1);
  close();
}

void http_session::on_request(const error_code& ec) {
  if (!socket_.is_open())
    return;
  if (ec) {
    on_bad_request(ec);
    return;
  }
  ++requests_;
  const auto& request = parser_->get();
  keep_alive_ = request.keep_alive() && !has_body(request) && requests_ < max_requests_a_connection;
  const auto target = split_target(request.target());
  if (paths_.websocket != nullptr && is_plain_path(target.path))
    answer_handshake(target);
  else
    answer_page();
}

void http_session::on_bad_request(const error_code& ec) {
  keep_alive_ = false;
  if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
    reply(reject(reject_reason::headers_too_large, 431, "the headers are over 8 KiB"));
  else if (ec == http::error::end_of_stream || ec == http::error::partial_message
           || ec.category() != make_error_code(http::error{}).category())
    close(); // the client left, or was never one
  else
    reply(reject(reject_reason::bad_request, 400, "not an HTTP request: " + ec.message()));
}

void http_session::answer_page() {
  const auto& request = parser_->get();
  const auto target = split_target(request.target());
  const page_request asked{target.path, target.query, request[http::field::if_none_match]};
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    answer_action(asked);
    return;
  }
  if (has_body(request)) {
    reply(text_response(400, "a body is not allowed here"), true);
    return;
  }
  awaited_ = requests_; // before it is asked: the answer may come from another thread
  if (paths_.slow_page && paths_.slow_page(asked, responder())) {
    context_.deadlines.schedule(*this, context_.now() + slow_page_timeout);
    return;
  }
  awaited_ = 0;
  reply(paths_.page(asked), !keep_alive_);
}

void http_session::answer_action(const page_request& asked) {
  const auto& request = parser_->get();
  if (request.method() == http::verb::post && paths_.action) {
    // a page of any site may make its reader's browser post to this machine
    if (request.count(http::field::origin) != 0 || request.count("Sec-Fetch-Site") != 0) {
      reply(text_response(403, "this is not for web pages"), true);
      return;
    }
    if (has_body(request)) {
      reply(text_response(400, "a body is not allowed here"), true);
      return;
    }
    if (auto done = paths_.action(asked)) {
      reply(std::move(*done), !keep_alive_);
      return;
    }
  }
  auto response = text_response(405, "only GET and HEAD are answered here");
  response.headers.emplace_back("Allow", "GET, HEAD");
  reply(std::move(response), !keep_alive_);
}

/// May be called and dropped on any thread, where the count of this session must not be touched: its one
/// reference comes home for either.
page_responder http_session::responder() {
  auto& io = context_.io;
  const std::shared_ptr<pointer> self{
    new pointer{this},
    [&io](pointer* held) { boost::asio::post(io, [owned = std::unique_ptr<pointer>{held}] {}); }};
  return [&io, self, request = requests_](page_response&& response) {
    boost::asio::post(io, [self, request, answer = std::move(response)]() mutable {
      (*self)->on_slow_answer(request, std::move(answer));
    });
  };
}

/// One that comes too late is dropped; the connection may be at another request by then.
void http_session::on_slow_answer(unsigned request, page_response&& response) {
  if (request != awaited_ || !socket_.is_open())
    return;
  awaited_ = 0;
  context_.deadlines.schedule(*this, context_.now() + context_.limits.handshake_timeout);
  reply(std::move(response), !keep_alive_);
}

void http_session::answer_handshake(const request_target& target) {
  if (const auto wrong = check_handshake(parser_->get())) {
    reply(*wrong);
    return;
  }
  auto parsed = parse_plain_target(target.path, target.query);
  if (auto* const text = std::get_if<std::string>(&parsed)) {
    reply(reject(reject_reason::bad_room, 400, *text));
    return;
  }
  if (const auto reason = paths_.websocket->refusal()) {
    auto wrong = reject(*reason, 503, std::string{refusal_text(*reason)});
    wrong.response.headers.emplace_back("Retry-After", refusal_seconds);
    reply(wrong);
    return;
  }
  upgrade(std::move(std::get<connection_parameters>(parsed)));
}

void http_session::upgrade(connection_parameters&& parameters) {
  cancel();
  const auto rest = buffer_.data();
  websocket_upgrade request{std::move(socket_), parser_->release(),
                            std::string{static_cast<const char*>(rest.data()), rest.size()}};
  const auto& language = parameters.meta ? plain_meta_dialect() : plain_dialect();
  paths_.websocket->on_session(make_websocket_session(context_, std::move(request)), language,
                               std::move(parameters));
}

void http_session::reply(const rejection& wrong) {
  context_.metrics.rejected_total[static_cast<std::size_t>(wrong.reason)].add(1);
  auto response = wrong.response;
  reply(std::move(response), true);
}

void http_session::reply(page_response&& response, bool close_after) {
  const bool is_head = parser_->is_header_done() && parser_->get().method() == http::verb::head;
  auto& message = response_.emplace(static_cast<http::status>(response.status), 11);
  message.set(http::field::server, "canang");
  message.set(http::field::content_type, response.content_type);
  message.set("X-Content-Type-Options", "nosniff");
  if (!response.etag.empty())
    message.set(http::field::etag, response.etag);
  for (const auto& [name, value] : response.headers)
    message.set(name, value);
  const auto body =
    response.static_body.empty() ? std::string_view{response.body} : response.static_body;
  if (response.status != 304)
    message.content_length(body.size());
  if (!is_head && response.status != 304)
    message.body() = body;
  if (close_after)
    message.set(http::field::connection,
                message[http::field::connection] == "Upgrade" ? "Upgrade, close" : "close");
  keep_alive_ = !close_after;
  http::async_write(socket_, message, [self = pointer{this}](error_code ec, std::size_t size) {
    self->context_.metrics.sent_bytes_total.add(size);
    self->after_reply(ec);
  });
}

void http_session::after_reply(const error_code& ec) {
  response_.reset();
  if (!socket_.is_open())
    return;
  if (ec) {
    close();
    return;
  }
  if (keep_alive_) {
    read_request();
    return;
  }
  error_code ignored;
  socket_.shutdown(tcp_socket::shutdown_send, ignored);
  context_.deadlines.schedule(*this, context_.now() + linger_timeout);
  requests_ = std::max(requests_, 1U); // the deadline that follows is no failed handshake
  discard_input();
}

/// Reads on until the client closes, so that what it still sends does not destroy our answer.
void http_session::discard_input() {
  buffer_.clear();
  socket_.async_read_some(buffer_.prepare(std::min<std::size_t>(4096, buffer_.max_size())),
                          [self = pointer{this}](error_code ec, std::size_t) {
                            if (ec)
                              self->close();
                            else
                              self->discard_input();
                          });
}

void http_session::close() {
  cancel();
  error_code ignored;
  socket_.close(ignored);
}

} // namespace

void serve_http(loop_context& context, const routes& paths, tcp_socket&& socket) {
  boost::intrusive_ptr<http_session> {
    new http_session { context, paths, std::move(socket) }
    } -> read_request();
}

} // namespace canang::net
