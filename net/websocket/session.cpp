#include "net/websocket/session.hpp"

#include "net/http/rejection.hpp"
#include "net/websocket/handshake.hpp"
#include "net/websocket/session_impl.hpp"

#include <string>
#include <string_view>
#include <utility>

// The life of a session: its opening and its end.

namespace canang::net {

websocket_session::websocket_session(loop_context& context, websocket_upgrade&& upgrade)
  : socket_session(context, std::move(upgrade.socket), std::move(upgrade.layer),
                   std::move(upgrade.ticket)),
    extra_(std::make_unique<extra>(context.metrics)) {
  // there are as many as there are clients: look at `./dev memory` before one grows
  static_assert(sizeof(websocket_session) <= 184);
  using boost::beast::http::field;
  // in a buffer already: it is sent as it stands
  extra_->answer = context.buffers.make(handshake_answer(upgrade.request[field::sec_websocket_key],
                                                         upgrade.subprotocol, upgrade.extensions));
  if (upgrade.may_be_compressed)
    frames_.allow_compression();
  extra_->held.assign(upgrade.already_read.begin(), upgrade.already_read.end());
  extra_->recount();
  context.metrics.received_bytes_total.add(upgrade.already_read.size());
}

void websocket_session::open() {
  if (phase() != state::opening)
    return;
  const auto answer = std::move(extra_->answer);
  extra_changed();
  if (open_with(answer) && has_work())
    go_on_later();
}

void websocket_session::refuse(reject_reason reason) {
  if (phase() != state::opening)
    return;
  std::string text{refusal_text(reason, "the room cannot be joined at present")};
  text += ".\n";
  std::string answer{"HTTP/1.1 "};
  answer += refusal_status(reason);
  answer += is_final(reason) ? "\r\n" : "\r\nRetry-After: 1\r\n";
  if (refusal_status(reason).starts_with("401"))
    answer += std::string{"WWW-Authenticate: "}.append(bearer_challenge) + "\r\n";
  answer += "Server: canang\r\nConnection: close\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: ";
  answer += std::to_string(text.size());
  answer += "\r\n\r\n";
  answer += text;
  refuse_with(answer, reason);
}

/// It is one of those that hold most, and the loop has not enough for all. TLS may hold the half of a record.
void websocket_session::give_up() {
  if (is_stuck())
    abort(close_reason::over_budget);
  else if (!is_all_written() && waiting_bytes() >= inbox_bytes())
    close(1008, "too much waits for this client", close_reason::over_budget);
  else
    close(1013, "no memory for the rest of this message", close_reason::over_budget);
}

void websocket_session::ping() {
  if (!is_open())
    return;
  context().metrics.pings_sent_total.add(1);
  const auto frame = context().buffers.make(ping_frame);
  send(frame, 0, frame->size());
}

void websocket_session::pause_reading(bool paused) {
  context().assert_on_loop();
  set_reading_paused(paused);
  if (may_read() && has_work())
    go_on_later();
}

void websocket_session::close(std::uint16_t code, std::string_view text, close_reason reason) {
  if (phase() == state::opening) {
    abort(reason);
    return;
  }
  if (!is_open())
    return;
  const auto frame = context().buffers.make();
  append_close_frame(frame->bytes(), code, text);
  if (say_last(frame, {code, reason}, state::closing))
    pause_reading(false); // for the client's close frame
}

void websocket_session::on_left(state before) {
  if (phase() == state::closed) {
    extra_.reset();
  } else if (before == state::open && extra_) {
    extra_->message = std::vector<char>{}; // nothing is delivered any more
    extra_changed();
  }
}

namespace {

/// One whose protocol has pings and last words of its own.
class worded_session final : public websocket_session {
public:
  worded_session(loop_context& context, websocket_upgrade&& upgrade, const session_words& words)
    : websocket_session(context, std::move(upgrade)), words_(words) {}

  bool expects_pings() const noexcept override { return true; }

  void ping() override {
    if (!is_open())
      return;
    context().metrics.pings_sent_total.add(1);
    const auto frame = context().buffers.make(words_.ping);
    send(frame, 0, frame->size());
  }

  void close(std::uint16_t code, std::string_view text, close_reason reason) override {
    const auto told = words_.close(reason, code, text);
    websocket_session::close(told.code, told.text, reason);
  }

private:
  const session_words& words_;
};

} // namespace

session_ptr make_websocket_session(loop_context& context, websocket_upgrade&& upgrade) {
  if (const auto* const words = upgrade.words)
    return session_ptr{new worded_session{context, std::move(upgrade), *words}};
  return session_ptr{new websocket_session{context, std::move(upgrade)}};
}

} // namespace canang::net
