#include "net/stream/emulated_stream.hpp"

#include "net/http/rejection.hpp"
#include "net/limits.hpp"
#include "net/socket_session.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <deque>
#include <memory>
#include <utility>

namespace canang::net {

namespace {

/// What a client has said and is not read yet. Counted in the loop's `inbox_bytes`.
class waiting_messages {
public:
  explicit waiting_messages(loop_metrics& metrics) noexcept : metrics_(metrics) {}
  waiting_messages(const waiting_messages&) = delete;
  waiting_messages& operator=(const waiting_messages&) = delete;
  ~waiting_messages() { metrics_.inbox_bytes.subtract(bytes_); }

  [[nodiscard]] bool is_empty() const noexcept { return all_.empty(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  /// The first one always has room.
  [[nodiscard]] bool has_room_for(const std::string& message) const noexcept {
    return all_.empty()
           || (all_.size() < max_emulated_messages
               && bytes_ + cost_of(message) <= max_emulated_bytes);
  }

  void add(std::string&& message) {
    const auto& added = all_.emplace_back(std::move(message));
    change(cost_of(added), 0);
  }

  std::string take() {
    auto first = std::move(all_.front());
    all_.pop_front();
    change(0, cost_of(first));
    return first;
  }

private:
  static std::size_t cost_of(const std::string& message) noexcept {
    return message.capacity() + emulated_overhead_bytes;
  }

  void change(std::size_t more, std::size_t less) noexcept {
    bytes_ += more - less;
    metrics_.inbox_bytes.add(more - less); // modulo 2^64, where it has become less
  }

  loop_metrics& metrics_;
  std::deque<std::string> all_;
  std::size_t bytes_ = 0;
};

void tell(const emulation_answer& answer, emulation_outcome outcome) {
  if (answer)
    answer(outcome);
}

/// One client's stream.
class emulated_stream final : public socket_session, emulated_session {
public:
  emulated_stream(loop_context& context, emulated_stream_request&& request)
    : socket_session(context, std::move(request.socket), nullptr, std::move(request.ticket)),
      words_(request.words),
      unopened_(std::make_unique<unopened>(
        unopened{std::move(request.fields), std::move(request.message)})) {}

  void open() override;
  void refuse(reject_reason reason) override;
  void pause_reading(bool paused) override;
  bool has_unread() const noexcept override { return waiting_ != nullptr; }
  void close(std::uint16_t code, std::string_view text, close_reason reason) override;
  clock::time_point last_heard() const noexcept override {
    return is_open() && is_reading_paused() && has_unread()
             ? context().now() // what it said is not read: it is there
             : heard();
  }
  void ping() override;
  bool expects_pings() const noexcept override { return true; }
  std::string secret() const override { return secret_; }

private:
  /// What is needed until it is open.
  struct unopened {
    header_fields fields;
    std::string message;
  };

  // emulated_session
  void take(std::string&& message, emulation_answer answer) override;
  // readiness::listener
  void on_ready(std::uint32_t events) override;
  [[nodiscard]] std::size_t held_bytes() const noexcept override {
    return waiting_bytes() + (waiting_ ? waiting_->bytes() : 0);
  }
  void on_left(state before) override;

  void keep(std::string&& message);
  void deliver_waiting();
  void deliver(const std::string& message);
  void read();

  const emulated_stream_words& words_;
  std::unique_ptr<unopened> unopened_;
  std::unique_ptr<waiting_messages> waiting_; // null where nothing waits
  std::string secret_;                        // while it is open
};

// there are as many as there are clients
static_assert(sizeof(emulated_stream) <= 224);

void emulated_stream::open() {
  if (phase() != state::opening)
    return;
  const auto known = std::move(unopened_);
  if (!open_with(context().buffers.make(stream_head(words_.content_type, known->fields))))
    return;
  secret_ = context().emulated.add(*this);
  keep(std::move(known->message)); // the handler is calling us
  go_on_later();
}

void emulated_stream::refuse(reject_reason reason) {
  if (phase() != state::opening)
    return;
  const auto known = std::move(unopened_);
  refuse_with(refusal_response(refusal_status(reason),
                               refusal_text(reason, "this node takes no new connections"),
                               known->fields),
              reason);
}

// --- what the client says

void emulated_stream::take(std::string&& message, emulation_answer answer) {
  context().assert_on_loop();
  if (!is_open()) {
    tell(answer, emulation_outcome::unknown);
    return;
  }
  set_heard(context().now());
  if (!waiting_ && !is_reading_paused()) {
    deliver(message);
  } else if (!waiting_ || waiting_->has_room_for(message)) {
    keep(std::move(message)); // nobody else's requests are to wait for this client
  } else {
    tell(answer, emulation_outcome::busy);
    return;
  }
  tell(answer, emulation_outcome::taken);
}

void emulated_stream::keep(std::string&& message) {
  if (!waiting_)
    waiting_ = std::make_unique<waiting_messages>(context().metrics);
  waiting_->add(std::move(message));
}

/// The handler may pause reading, or close.
void emulated_stream::deliver(const std::string& message) {
  context().sockets.charge(cost_of_frame + message.size());
  if (handler() != nullptr)
    handler()->on_message(words_.type, {message.data(), message.size()});
}

/// All that waits is no more than a session may read in a turn.
void emulated_stream::deliver_waiting() {
  while (waiting_ && is_open() && !is_reading_paused()) {
    const auto next = waiting_->take();
    if (waiting_->is_empty())
      waiting_.reset();
    deliver(next);
  }
}

void emulated_stream::pause_reading(bool paused) {
  context().assert_on_loop();
  set_reading_paused(paused);
  if (!paused && waiting_)
    go_on_later();
}

void emulated_stream::on_ready(std::uint32_t events) {
  if (!note(events))
    return;
  if (phase() == state::lingering) {
    discard_input();
    return;
  }
  read();
  deliver_waiting();
}

/// On this connection the client has nothing to say but for its end.
void emulated_stream::read() {
  const auto scrap = context().sockets.scratch();
  const auto heard_before = heard();
  for (std::size_t left = max_read_bytes_a_turn; is_readable() && is_open();) {
    if (left == 0) {
      go_on_later(); // a flood
      return;
    }
    const auto got = read_once(scrap);
    set_heard(heard_before);
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

// --- its end

/// Nothing that waits is delivered any more.
void emulated_stream::on_left(state before) {
  if (before != state::open)
    return;
  context().emulated.remove(secret_);
  waiting_.reset();
}

void emulated_stream::ping() {
  if (!is_open())
    return;
  context().metrics.pings_sent_total.add(1);
  const auto message = context().buffers.make(words_.words.ping);
  send(message, 0, message->size());
}

void emulated_stream::close(std::uint16_t code, std::string_view text, close_reason reason) {
  if (phase() == state::opening) {
    abort(reason);
    return;
  }
  if (!is_open())
    return;
  const auto told = words_.words.close(reason, code, text);
  const auto message = context().buffers.make();
  words_.append_close(message->bytes(), told);
  if (say_last(message, {told.code, reason}, state::lingering))
    linger();
}

} // namespace

session_ptr make_emulated_stream(loop_context& context, emulated_stream_request&& request) {
  return session_ptr{new emulated_stream{context, std::move(request)}};
}

} // namespace canang::net
