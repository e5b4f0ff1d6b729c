#include "net/http/session.hpp"

#include "net/http/fields.hpp"
#include "net/http/handshake.hpp"
#include "net/http/response.hpp"
#include "net/http/target.hpp"
#include "net/log_text.hpp"
#include "net/protocol/plain.hpp"
#include "net/websocket/session.hpp"

#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <spdlog/spdlog.h>

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

/// One HTTP connection, counted by reference: its pending operation holds it.
class http_session final
  : public boost::intrusive_ref_counter<http_session, boost::thread_unsafe_counter>,
    timing_wheel::entry,
    http_pool::member {
public:
  http_session(loop_context& context, const routes& paths, tcp_socket&& socket,
               address_counts::arrival&& from)
    : context_(context),
      paths_(paths),
      socket_(std::move(socket)),
      from_(std::move(from)),
      buffer_(context.limits.max_header_bytes) {
    context_.http.enter(*this, context_.now());
  }
  ~http_session() override { context_.http.leave(*this); }

  void await_request();

private:
  using pointer = boost::intrusive_ptr<http_session>;
  using clock = timing_wheel::clock;

  void on_deadline(clock::time_point) override;
  void give_way() override;
  void read_request();
  bool skip_empty_lines();
  void on_request(const error_code& ec);
  void on_bad_request(const error_code& ec);
  void answer_page(const request_target& target);
  void answer_action(const page_request& asked);
  page_responder responder();
  void on_slow_answer(unsigned request, page_response&& response);
  void answer_handshake(const request_target& target);
  void upgrade(connection_parameters&& parameters, std::string&& subprotocol);
  void reply(const rejection& wrong);
  void log_refusal(const page_response& response, std::string_view reason) const;
  void reply(page_response&& response, bool close_after);
  void after_reply(const error_code& ec);
  void discard_input();
  void close();

  loop_context& context_;
  const routes& paths_;
  tcp_socket socket_;
  address_counts::arrival from_;
  boost::beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  std::optional<http_response> response_;
  unsigned requests_ = 0;
  unsigned empty_lines_ = 0; // before the request that is awaited
  unsigned awaited_ = 0;     // the request that waits for a slow page, or 0
  bool keep_alive_ = false;
};

void http_session::await_request() {
  empty_lines_ = 0;
  context_.deadlines.schedule(*this, context_.now() + context_.limits.handshake_timeout);
  read_request();
}

void http_session::read_request() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(context_.limits.max_header_bytes));
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
                              [self = pointer{this}](error_code ec, std::size_t size) {
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
  context_.http.note_request(*this, context_.now());
  const auto& request = parser_->get();
  keep_alive_ =
    parser_->keep_alive() && !has_body(request) && requests_ < max_requests_a_connection;
  if (from_.what != address_counts::verdict::served) {
    reply(reject_for_now(reject_reason::address));
    return;
  }
  if (const auto wrong = check_request(request)) {
    reply(*wrong);
    return;
  }
  const auto target = read_target(request.target());
  if (!target)
    reply(
      reject(reject_reason::bad_request, 400, "the target is neither a path nor a URL of http"));
  else if (paths_.websocket != nullptr && is_plain_path(target->path))
    answer_handshake(*target);
  else
    answer_page(*target);
}

void http_session::on_bad_request(const error_code& ec) {
  keep_alive_ = false;
  if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
    reply(reject(reject_reason::headers_too_large, 431,
                 "the request line and headers are over "
                   + std::to_string(context_.limits.max_header_bytes) + " bytes"));
  else if (ec == http::error::end_of_stream || ec == http::error::partial_message
           || ec.category() != make_error_code(http::error{}).category())
    close(); // the client left, or was never one
  else
    reply(reject(reject_reason::bad_request, 400, "not an HTTP request: " + ec.message()));
}

void http_session::answer_page(const request_target& target) {
  const auto& request = parser_->get();
  const auto tags = all_lines(request, http::field::if_none_match);
  const page_request asked{target.path, target.query, tags, host_of(request, target),
                           request[http::field::authorization]};
  if (paths_.guard) {
    if (auto wrong = paths_.guard(asked)) {
      log_refusal(*wrong, "no_access");
      reply(std::move(*wrong), true);
      return;
    }
  }
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
  const auto& request = parser_->get();
  const auto& rules = paths_.handshakes;
  if (const auto wrong = check_handshake(request)) {
    reply(*wrong);
    return;
  }
  if (const auto wrong = check_origin(request, target, rules.origins)) {
    reply(*wrong);
    return;
  }
  auto parsed = parse_plain_target(target.path, target.query);
  if (auto* const text = std::get_if<std::string>(&parsed)) {
    reply(reject(reject_reason::bad_room, 400, *text));
    return;
  }
  auto chosen = choose_subprotocol(request, rules.subprotocols);
  if (const auto* const wrong = std::get_if<rejection>(&chosen)) {
    reply(*wrong);
    return;
  }
  if (const auto reason = paths_.websocket->refusal()) {
    reply(reject_for_now(*reason));
    return;
  }
  upgrade(std::move(std::get<connection_parameters>(parsed)),
          std::move(std::get<std::string>(chosen)));
}

void http_session::upgrade(connection_parameters&& parameters, std::string&& subprotocol) {
  cancel();
  context_.http.leave(*this);
  const auto rest = buffer_.data();
  websocket_upgrade request{std::move(socket_),
                            parser_->release(),
                            std::string{static_cast<const char*>(rest.data()), rest.size()},
                            std::move(subprotocol),
                            {},
                            std::move(from_.ticket)};
  const auto& format = parameters.meta ? plain_meta_format() : plain_format();
  paths_.websocket->on_session(make_websocket_session(context_, std::move(request)), format,
                               std::move(parameters));
}

void http_session::reply(const rejection& wrong) {
  context_.metrics.rejected_total[static_cast<std::size_t>(wrong.reason)].add(1);
  log_refusal(wrong.response, to_string(wrong.reason));
  auto response = wrong.response;
  reply(std::move(response), true);
}

void http_session::log_refusal(const page_response& response, std::string_view reason) const {
  if (!spdlog::should_log(spdlog::level::debug))
    return;
  error_code ec;
  const auto peer = socket_.remote_endpoint(ec);
  std::string_view text = response.body;
  text.remove_suffix(text.ends_with('\n') ? 1 : 0);
  spdlog::debug("refuse peer={} target={} status={} reason={} text={}",
                ec ? std::string{} : to_text(peer), log_field(parser_->get().target()),
                response.status, reason, log_field(text));
}

void http_session::reply(page_response&& response, bool close_after) {
  const bool is_head = parser_->is_header_done() && parser_->get().method() == http::verb::head;
  auto& message = response_.emplace(make_response(response, {is_head, close_after}));
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
    await_request();
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
  context_.http.leave(*this);
  error_code ignored;
  socket_.close(ignored);
  from_.ticket = address_ticket{};
}

} // namespace

void serve_http(loop_context& context, const routes& paths, tcp_socket&& socket,
                address_counts::arrival&& from) {
  boost::intrusive_ptr<http_session> {
    new http_session { context, paths, std::move(socket), std::move(from) }
    } -> await_request();
}

} // namespace canang::net
