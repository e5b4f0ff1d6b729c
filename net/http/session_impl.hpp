#pragma once

#include "net/arrival_rules.hpp"
#include "net/http/body_reader.hpp"
#include "net/http/pool.hpp"
#include "net/http/request.hpp"
#include "net/http/responder.hpp"
#include "net/http/response.hpp"
#include "net/http/router.hpp"
#include "net/socket/client_socket.hpp"
#include "net/timing_wheel.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <memory>
#include <optional>
#include <string_view>

namespace canang::net {

/// One HTTP connection. Counted by reference: its pending operation holds it. Lives on the loop of its
/// context. What it reads is in session.cpp, bodies in session_body.cpp, what it answers in session_answer.cpp.
class http_session final
  : public boost::intrusive_ref_counter<http_session, boost::thread_unsafe_counter>,
    timing_wheel::entry,
    http_pool::member,
    responder {
public:
  http_session(loop_context& context, const router& paths, client_socket&& socket,
               address_counts::arrival&& from, const arrival_rules* rules,
               std::string_view already_read);
  ~http_session() override;

  void await_request();

private:
  using pointer = boost::intrusive_ptr<http_session>;
  using clock = timing_wheel::clock;
  using error_code = boost::system::error_code;

  /// What is waited for.
  enum class state : std::uint8_t {
    reading_request,
    reading_body,
    asking,  // the handler, which is being called
    waiting, // for an answer that comes later
    replying,
    over, // closed, or taken over
  };

  /// A body that is being read. Its memory is counted in the pool and in the loop's `inbox_bytes`.
  struct incoming_body {
    incoming_body(loop_context& of_loop, const body_framing& framing, std::size_t limit)
      : context(of_loop), reader(framing, limit) {}
    incoming_body(const incoming_body&) = delete;
    incoming_body& operator=(const incoming_body&) = delete;
    ~incoming_body();

    /// To be called when it has grown. @returns false where the loop has no more room for bodies.
    [[nodiscard]] bool recount() noexcept;

    loop_context& context;
    body_reader reader;
    std::size_t counted = 0;
  };

  /// A request with a body, or an answer that comes later, or one that is being written, counts in the loop's
  /// `http_answers_due`.
  class due_answer {
  public:
    explicit due_answer(counter& due) noexcept : due_(due) { due_.add(1); }
    due_answer(const due_answer&) = delete;
    due_answer& operator=(const due_answer&) = delete;
    ~due_answer() { due_.subtract(1); }

  private:
    counter& due_;
  };

  // timing_wheel::entry
  void on_deadline(clock::time_point) override;
  // http_pool::member
  void give_way() override;
  [[nodiscard]] std::size_t held_bytes() const noexcept override {
    const auto* const layer = socket_.layer();
    return (body_ ? body_->counted : 0) + (layer != nullptr ? layer->held_bytes() : 0);
  }
  void give_up() override;
  // responder
  void reply(page_response&& response) override;
  void refuse(rejection&& wrong) override;
  [[nodiscard]] late_responder reply_later() override;
  [[nodiscard]] taken_connection take_over() override;

  void read_request();
  bool skip_empty_lines();
  void on_request(const error_code& ec);
  void on_bad_request(const error_code& ec);
  void on_client_hello();
  [[nodiscard]] bool note_client();
  void route();
  [[nodiscard]] bool is_of_allowed_page();
  [[nodiscard]] bool answer_preflight();
  void answer_other_method();
  void ask();
  void on_handler_failure(std::string_view what);
  [[nodiscard]] static page_response no_answer();
  void on_late_answer(unsigned request, page_response&& response);

  void begin_body();
  [[nodiscard]] std::optional<page_response> check_expectation();
  void send_continue();
  void read_body();
  void on_body_bytes(const error_code& ec, std::size_t size);
  void take_body();
  void end_body_early(page_response&& response);

  void refuse_page(page_response&& response, std::string_view reason);
  void log_refusal(const page_response& response, std::string_view reason);
  void log_access(const page_response& response);
  void send(page_response&& response, bool close_after);
  void after_reply(const error_code& ec);
  void note_due();
  void linger();
  void discard_input();
  void close();

  loop_context& context_;
  const router& paths_;
  client_socket socket_;
  address_counts::arrival from_;
  const arrival_rules* rules_;
  std::optional<tcp_endpoint>
    proxy_; // a trusted one at the other end, that makes requests of others
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::empty_body>> parser_;
  std::optional<http_request> asked_; // views into the parser's message
  router::match match_;
  std::unique_ptr<incoming_body> body_;
  std::optional<http_response> response_;
  std::optional<due_answer> due_;
  clock::time_point asked_at_{};
  std::size_t asked_bytes_ = 0; // of a body that has come
  unsigned requests_ = 0;
  unsigned empty_lines_ = 0; // before the request that is awaited
  state state_ = state::reading_request;
  bool keep_alive_ = false;
};

} // namespace canang::net
