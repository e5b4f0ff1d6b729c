// What becomes of a request: who is asked, and how it is answered.

#include "net/http/cors.hpp"
#include "net/http/request_checks.hpp"
#include "net/http/session_impl.hpp"
#include "net/limits.hpp"
#include "net/log_text.hpp"

#include <boost/asio/post.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/beast/http/write.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace canang::net {

namespace http = boost::beast::http;

namespace {

/// Of what a client says of itself, in the access log: also who has no key may fill the log with it.
constexpr std::size_t max_logged_field_bytes = 200;

} // namespace

page_response http_session::no_answer() {
  auto response = text_response(503, R"({"reason":"no answer in time"})");
  response.content_type = "application/json";
  return response;
}

/// Finds the route, and asks all that has to be asked before a body is read.
void http_session::route() {
  auto& asked = *asked_;
  match_ = paths_.find(asked.header.method(), asked.path, asked.values);
  const bool is_upgrade = match_.to != nullptr && match_.to->is_upgrade;
  if (!is_upgrade) {
    if (match_.to == nullptr && is_preflight(asked.header) && answer_preflight())
      return;
    if (match_.to != nullptr && match_.to->options.cors && !is_of_allowed_page())
      return;
    if (auto wrong = paths_.refusal(match_, asked)) {
      refuse_page(std::move(*wrong), "no_access");
      return;
    }
  }
  if (match_.at == nullptr)
    send(text_response(404, paths_.not_found()), !keep_alive_);
  else if (match_.to == nullptr)
    answer_other_method();
  else if (is_upgrade || !has_body(asked.header))
    ask();
  else if (match_.to->options.body_limit == 0)
    refuse_page(text_response(400, "a body is not allowed here"), "body");
  else
    begin_body();
}

/// Whether no page asks, or one that may; else it is refused.
bool http_session::is_of_allowed_page() {
  const auto origin = asked_->field(http::field::origin);
  if (origin.empty())
    return true;
  if (!paths_.origins().allows(origin, asked_->host)) {
    refuse_page(
      text_response(
        403, "pages of this origin may not use this: the server's --allowed-origin says which"),
      "origin");
    return false;
  }
  asked_->cors_origin = origin;
  return true;
}

/// A browser asks whether a page may make the request that it names. It says nothing here of who asks, so no
/// guard is asked.
/// @returns false where that request has no route for pages.
bool http_session::answer_preflight() {
  const auto method =
    http::string_to_verb(asked_->field(http::field::access_control_request_method));
  const auto wanted = paths_.find(method, asked_->path, asked_->values);
  if (wanted.to == nullptr || !wanted.to->options.cors)
    return false;
  if (is_of_allowed_page())
    send(preflight_answer(asked_->header), !keep_alive_);
  return true;
}

void http_session::answer_other_method() {
  auto methods = match_.at->allowed();
  const bool is_options = asked_->header.method() == http_method::options && match_.at->has_cors();
  auto answer =
    text_response(is_options ? 204 : 405, "the methods that are answered here: " + methods);
  answer.headers.emplace_back("Allow", std::move(methods));
  send(std::move(answer), !keep_alive_);
}

/// Calls the handler.
void http_session::ask() {
  const pointer self{this}; // it may close, and take over
  state_ = state::asking;
  try {
    match_.to->handler(*asked_, *this);
  } catch (const std::exception& fault) {
    on_handler_failure(fault.what());
  }
  body_.reset();
  if (state_ == state::asking)
    on_handler_failure("it gave no answer");
}

/// A fault of ours; it costs this request only.
void http_session::on_handler_failure(std::string_view what) {
  context_.metrics.http_failures_total.add(1);
  spdlog::error("http handler failed pattern={} reason={}", match_.at->pattern.text(), what);
  if (state_ == state::asking)
    send(text_response(500, "this request could not be answered"), true);
  else if (state_ == state::waiting)
    on_late_answer(requests_, text_response(500, "this request could not be answered"));
}

void http_session::reply(page_response&& response) {
  if (state_ == state::asking)
    send(std::move(response), !keep_alive_);
}

void http_session::refuse(rejection&& wrong) {
  context_.metrics.rejected_total[static_cast<std::size_t>(wrong.reason)].add(1);
  refuse_page(std::move(wrong.response), to_string(wrong.reason));
}

void http_session::refuse_page(page_response&& response, std::string_view reason) {
  log_refusal(response, reason);
  send(std::move(response), true);
}

void http_session::log_refusal(const page_response& response, std::string_view reason) {
  if (!spdlog::should_log(spdlog::level::debug))
    return;
  const auto client = socket_.client();
  std::string_view text = response.body;
  text.remove_suffix(text.ends_with('\n') ? 1 : 0);
  spdlog::debug("refuse peer={} target={} status={} reason={} text={}",
                client ? client_text(*client) : std::string{},
                log_field(without_token(parser_->get().target())), response.status, reason,
                log_field(text));
}

/// Neither the query nor any field but one is told: keys and tokens may stand there.
void http_session::log_access(const page_response& response) {
  const bool is_head = asked_->header.method() == http_method::head;
  const auto body =
    response.static_body.empty() ? std::string_view{response.body} : response.static_body;
  const auto agent = asked_->field(http::field::user_agent).substr(0, max_logged_field_bytes);
  const auto client = socket_.client();
  const auto took = std::chrono::duration<double, std::milli>{context_.now() - asked_at_}.count();
  spdlog::info(
    "access peer={} method={} path={} status={}{}{} received={} sent={} ms={:.1f} agent={}",
    client ? client_text(*client) : std::string{}, std::string_view{asked_->header.method_string()},
    log_field(asked_->path), response.status, response.note.empty() ? "" : " ", response.note,
    asked_bytes_, is_head ? 0 : body.size(), took, log_field(agent));
}

/// May be called and dropped on any thread, where the count of this session must not be touched: its one
/// reference comes home for either. Where nobody has it any more and nothing was said, nothing will be.
late_responder http_session::reply_later() {
  state_ = state::waiting; // before it is asked: the answer may come from another thread
  note_due();
  context_.deadlines.schedule(*this, context_.now() + late_answer_timeout);
  auto& io = context_.io;
  const auto request = requests_;
  const std::shared_ptr<pointer> self{new pointer{this}, [&io, request](pointer* held) {
                                        boost::asio::post(
                                          io, [request, owned = std::unique_ptr<pointer>{held}] {
                                            (*owned)->on_late_answer(request, no_answer());
                                          });
                                      }};
  return [&io, self, request](page_response&& response) {
    boost::asio::post(io, [self, request, answer = std::move(response)]() mutable {
      (*self)->on_late_answer(request, std::move(answer));
    });
  };
}

/// One that comes too late is dropped; the connection may be at another request by then.
void http_session::on_late_answer(unsigned request, page_response&& response) {
  if (state_ != state::waiting || request != requests_)
    return;
  context_.deadlines.schedule(*this, context_.now() + context_.limits.handshake_timeout);
  send(std::move(response), !keep_alive_);
}

taken_connection http_session::take_over() {
  cancel();
  state_ = state::over;
  context_.http.leave(*this);
  const auto rest = buffer_.data();
  if (auto* const layer = socket_.layer())
    static_cast<void>(layer->take_wire_bytes()); // what was sent so far is counted
  return {
    .socket = std::move(socket_),
    .request = parser_->release(),
    .already_read = std::string{static_cast<const char*>(rest.data()), rest.size()},
    .ticket = std::move(from_.ticket),
  };
}

void http_session::send(page_response&& response, bool close_after) {
  state_ = state::replying;
  note_due();
  close_after |= context_.ends_http.load(std::memory_order_relaxed);
  const bool is_head = parser_->is_header_done() && parser_->get().method() == http_method::head;
  if (asked_ && !asked_->cors_origin.empty())
    for (auto& named : cors_fields(asked_->cors_origin))
      response.headers.push_back(std::move(named));
  if (asked_ && match_.to != nullptr && match_.to->options.is_logged)
    log_access(response);
  auto& message = response_.emplace(make_response(response, {is_head, close_after}));
  keep_alive_ = !close_after;
  http::async_write(socket_, message,
                    [self = pointer{this}](const error_code& ec, std::size_t size) {
                      self->context_.metrics.sent_bytes_total.add(size);
                      self->after_reply(ec);
                    });
}

/// From its body to its answer without a gap: who looks meanwhile, on another thread, must not find none.
void http_session::note_due() {
  if (!due_)
    due_.emplace(context_.metrics.http_answers_due);
}

void http_session::after_reply(const error_code& ec) {
  response_.reset();
  due_.reset();
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
  linger();
}

} // namespace canang::net
