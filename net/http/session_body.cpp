// Requests' bodies: read within the limit of the route that the request is for.

#include "net/http/fields.hpp"
#include "net/http/request_checks.hpp"
#include "net/http/session_impl.hpp"
#include "net/limits.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <utility>
#include <variant>

namespace canang::net {

using boost::beast::http::field;

namespace {

page_response too_large(std::size_t limit) {
  return text_response(413, "a body of at most " + std::to_string(limit) + " bytes is taken here");
}

/// Another node may have room; so may this one in a moment.
page_response no_room() {
  auto response = text_response(503, "no memory for more bodies of requests at present");
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

} // namespace

http_session::incoming_body::~incoming_body() {
  context.http.give_body_bytes(counted);
  context.metrics.inbox_bytes.subtract(counted);
}

bool http_session::incoming_body::recount() noexcept {
  const auto more = reader.memory() - counted; // it never shrinks
  if (!context.http.take_body_bytes(more))
    return false;
  counted += more;
  context.metrics.inbox_bytes.add(more);
  return true;
}

/// The request has passed the guard, and its route takes bodies.
void http_session::begin_body() {
  const auto& request = parser_->get();
  auto framing = read_framing(request);
  if (auto* const wrong = std::get_if<page_response>(&framing)) {
    refuse_page(std::move(*wrong), "body");
    return;
  }
  const auto limit = match_.to->options.body_limit;
  body_ = std::make_unique<incoming_body>(context_, std::get<body_framing>(framing), limit);
  if (body_->reader.at() == body_reader::state::too_large) {
    refuse_page(too_large(limit), "body");
    return;
  }
  if (auto wrong = check_expectation()) {
    refuse_page(std::move(*wrong), "expectation");
    return;
  }
  state_ = state::reading_body;
  note_due();
  context_.deadlines.schedule(*this, context_.now() + context_.limits.body_timeout);
  // who has begun to send does not wait for it (RFC 9110, 10.1.1)
  if (request.count(field::expect) != 0 && request.version() >= 11 && buffer_.size() == 0)
    send_continue();
  else
    take_body();
}

std::optional<page_response> http_session::check_expectation() {
  const auto& request = parser_->get();
  const auto wanted = list_items(request, field::expect);
  const auto is_known = [](std::string_view item) {
    return boost::beast::iequals({item.data(), item.size()}, "100-continue");
  };
  if (request.version() < 11 || std::all_of(wanted.begin(), wanted.end(), is_known))
    return std::nullopt;
  return text_response(417, "100-continue is the only expectation that is met here");
}

void http_session::send_continue() {
  static constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
  boost::asio::async_write(socket_, boost::asio::buffer(text),
                           [self = pointer{this}](const error_code& ec, std::size_t size) {
                             self->context_.metrics.sent_bytes_total.add(size);
                             if (self->state_ != state::reading_body)
                               return;
                             if (ec)
                               self->close();
                             else
                               self->read_body();
                           });
}

void http_session::read_body() {
  buffer_.clear(); // all of it has been taken
  socket_.async_read_some(buffer_.prepare(buffer_.max_size()),
                          [self = pointer{this}](const error_code& ec, std::size_t size) {
                            self->context_.metrics.received_bytes_total.add(size);
                            if (self->socket_.layer() == nullptr) // else it is charged already
                              self->context_.sockets.charge_next(size);
                            self->on_body_bytes(ec, size);
                          });
}

void http_session::on_body_bytes(const error_code& ec, std::size_t size) {
  if (state_ != state::reading_body) // it was given up meanwhile
    return;
  if (ec) { // a part of a body is worth nothing
    close();
    return;
  }
  buffer_.commit(size);
  take_body();
}

/// Takes what has come; what lies behind the body belongs to the next request.
void http_session::take_body() {
  const auto rest = buffer_.data();
  auto& reader = body_->reader;
  buffer_.consume(reader.take({static_cast<const char*>(rest.data()), rest.size()}));
  switch (reader.at()) {
  case body_reader::state::bad:
    end_body_early(text_response(400, "not a body in chunks (RFC 9112, 7.1)"));
    return;
  case body_reader::state::too_large:
    end_body_early(too_large(match_.to->options.body_limit));
    return;
  case body_reader::state::more:
  case body_reader::state::whole: break;
  }
  if (!body_->recount()) {
    end_body_early(no_room());
    return;
  }
  if (reader.at() == body_reader::state::more) {
    read_body();
    return;
  }
  keep_alive_ = parser_->keep_alive() && requests_ < max_requests_a_connection;
  asked_->body = reader.body();
  asked_bytes_ = asked_->body.size();
  context_.deadlines.schedule(*this, context_.now() + context_.limits.handshake_timeout);
  ask();
}

/// The loop holds too much for its clients, and this one holds most: of a body, or what TLS holds.
void http_session::give_up() {
  if (state_ == state::reading_body)
    end_body_early(no_room());
  else
    give_way();
}

/// Answers before the body has come: what is left of it is not read as a request.
void http_session::end_body_early(page_response&& response) {
  body_.reset();
  error_code ignored;
  socket_.cancel(ignored); // whatever it reads or writes at present
  context_.deadlines.schedule(*this, context_.now() + context_.limits.handshake_timeout);
  refuse_page(std::move(response), "body");
}

} // namespace canang::net
