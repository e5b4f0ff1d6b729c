#include "net/stream/event_stream.hpp"

#include "net/http/rejection.hpp"
#include "net/limits.hpp"
#include "net/socket_session.hpp"
#include "net/stream/acknowledged.hpp"
#include "net/stream/event.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace canang::net {

namespace {

/// The header of a stream, and how long to wait should it break off.
std::string beginning_of_stream(const header_fields& fields) {
  auto answer = stream_head("text/event-stream", fields);
  append_retry(answer, random_pause(stream_retry));
  answer += end_of_event;
  return answer;
}

/// The whole answer to one that cannot be served, now or ever.
std::string refusal(reject_reason reason, bool is_return, const header_fields& fields) {
  if (is_return && !is_final(reason))
    return beginning_of_stream(fields) + event_stream_farewell(reason);
  return refusal_response(refusal_status(reason),
                          refusal_text(reason, "the room cannot be joined at present"), fields);
}

/// One EventSource's connection.
class event_stream final : public socket_session {
public:
  event_stream(loop_context& context, event_stream_request&& request)
    : socket_session(context, std::move(request.socket), std::move(request.layer),
                     std::move(request.ticket)),
      unopened_(
        std::make_unique<unopened>(unopened{std::move(request.fields), request.is_return})) {}

  void open() override;
  void refuse(reject_reason reason) override;
  void pause_reading(bool) override {} // what comes is discarded anyway
  void close(std::uint16_t code, std::string_view text, close_reason reason) override;
  clock::time_point last_heard() const noexcept override;
  void ping() override;

private:
  /// What is needed until it is open.
  struct unopened {
    header_fields fields;
    bool is_return;
  };

  void on_ready(std::uint32_t events) override;
  void read();

  std::unique_ptr<unopened> unopened_;
  clock::time_point pinged_at_{};
  std::uint64_t acknowledged_at_ping_ = 0;
};

// there are as many as there are clients
static_assert(sizeof(event_stream) <= 184);

void event_stream::open() {
  if (phase() != state::opening)
    return;
  const auto known = std::move(unopened_);
  open_with(context().buffers.make(beginning_of_stream(known->fields)));
}

void event_stream::refuse(reject_reason reason) {
  if (phase() != state::opening)
    return;
  const auto known = std::move(unopened_);
  refuse_with(refusal(reason, known->is_return, known->fields), reason);
}

void event_stream::on_ready(std::uint32_t events) {
  if (!note(events))
    return;
  if (phase() == state::lingering)
    discard_input();
  else
    read();
}

/// A client has nothing to say after its request, but for the end of the connection.
void event_stream::read() {
  const auto scrap = context().sockets.scratch();
  for (std::size_t left = max_read_bytes_a_turn; is_readable() && is_open();) {
    if (left == 0) {
      go_on_later(); // a flood
      return;
    }
    const auto got = read_once(scrap);
    if (got.size == -EAGAIN)
      return;
    if (got.size <= 0) {
      // closing the connection is the one way in which a client can leave
      on_lost(got.size == 0 ? close_info{1005, close_reason::normal}
                            : close_info{1006, close_reason::abnormal});
      return;
    }
    left -= std::min(left, got.cost);
  }
}

void event_stream::ping() {
  if (!is_open())
    return;
  context().metrics.pings_sent_total.add(1);
  pinged_at_ = context().now();
  acknowledged_at_ping_ = acknowledged_bytes(descriptor());
  const auto comment = context().buffers.make(comment_event);
  send(comment, 0, comment->size());
}

/// What is acknowledged after a ping was sent before it or with it: all of it, or some of what waits in front.
event_stream::clock::time_point event_stream::last_heard() const noexcept {
  const bool has_answered =
    is_open() && pinged_at_ > heard() && acknowledged_bytes(descriptor()) != acknowledged_at_ping_;
  return has_answered ? pinged_at_ : heard();
}

void event_stream::close(std::uint16_t code, std::string_view text, close_reason reason) {
  if (phase() == state::opening) {
    abort(reason);
    return;
  }
  if (!is_open())
    return;
  const auto words = context().buffers.make();
  if (reason == close_reason::drain || reason == close_reason::rebalance) {
    append_retry(words->bytes(), random_pause(stream_return));
    words->bytes() += end_of_event;
  } else {
    append_close_event(words->bytes(), code, text, random_pause(stream_retry));
  }
  if (say_last(words, {code, reason}, state::lingering))
    linger();
}

} // namespace

session_ptr make_event_stream(loop_context& context, event_stream_request&& request) {
  return session_ptr{new event_stream{context, std::move(request)}};
}

std::string event_stream_farewell(reject_reason reason) {
  std::string events;
  append_close_event(events, 1013, refusal_text(reason, "the room cannot be joined at present"),
                     random_pause(stream_retry));
  return events;
}

} // namespace canang::net
