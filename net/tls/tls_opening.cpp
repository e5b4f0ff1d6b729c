#include "net/tls/tls_opening.hpp"

#include "net/limits.hpp"
#include "net/send_lanes.hpp"
#include "net/socket/opening.hpp"
#include "net/stream/response_head.hpp"
#include "net/tls/tls_layer.hpp"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <spdlog/spdlog.h>

#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace canang::net {

namespace {

/// Of a TLS record: a handshake message.
constexpr unsigned char handshake_type = 0x16;

bool is_about_certificate(unsigned long fault) noexcept {
  const int reason = ERR_GET_REASON(fault);
  return reason == SSL_R_CERTIFICATE_VERIFY_FAILED
         || reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
}

/// Of a microsecond: so the gate's share uses up the half of a turn that is for what comes past the sessions'
/// sockets, and those get their turn beside a flood.
constexpr std::size_t cost_of_microsecond =
  max_cost_a_turn / 2 / static_cast<std::size_t>(tls_handshake_share.count()) + 1;

/// Charges the next turn for the time that it lives. No two live at once.
class charged_time {
public:
  explicit charged_time(readiness& sockets) : sockets_(sockets) {}
  charged_time(const charged_time&) = delete;
  charged_time& operator=(const charged_time&) = delete;

  ~charged_time() {
    const auto spent = std::chrono::ceil<std::chrono::microseconds>(clock::now() - began_);
    sockets_.charge_next(static_cast<std::size_t>(spent.count()) * cost_of_microsecond);
  }

private:
  using clock = std::chrono::steady_clock;

  readiness& sockets_;
  clock::time_point began_ = clock::now();
};

class tls_opening final : public opening {
public:
  tls_opening(loop_context& context, client_socket&& socket, const tls_source& source,
              address_counts::arrival&& from, tls_arrival&& arrived)
    : opening(context, std::move(socket)),
      source_(source),
      from_(std::move(from)),
      arrived_(std::move(arrived)) {}

  void start() { await(tcp_socket::wait_read); }

private:
  using step = tls_layer::step;

  void on_ready() override;
  void on_given_up(reject_reason why) override;
  // http_pool::member
  [[nodiscard]] std::size_t held_bytes() const noexcept override {
    return layer_ ? layer_->held_bytes() : 0;
  }
  void give_up() override { give_way(); }
  void look_at_first_byte();
  void wait_in_line();
  void go_on();
  [[nodiscard]] step shake();
  void pass_on();
  void refuse();
  void note_failure(tls_outcome outcome, std::string_view why);
  void answer_plain();
  [[nodiscard]] bool take_text();
  void count_tls(tls_outcome outcome) noexcept {
    context().metrics.tls_handshakes_total[static_cast<std::size_t>(outcome)].add(1);
  }

  const tls_source& source_;
  address_counts::arrival from_;
  tls_arrival arrived_;
  std::unique_ptr<tls_layer> layer_; // null until its turn has come
  bool awaits_hello_ = false;        // so there is a layer, and it has not done yet what costs most
  bool is_done_ = false;
};

void tls_opening::on_ready() {
  if (!layer_)
    look_at_first_byte();
  else if (awaits_hello_)
    wait_in_line();
  else
    go_on();
}

void tls_opening::look_at_first_byte() {
  unsigned char first = 0;
  const auto seen = ::recv(socket().native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT);
  if (seen == 1 && first == handshake_type) {
    wait_in_line();
  } else if (seen == 1) {
    answer_plain();
  } else if (seen < 0 && (errno == EAGAIN || errno == EINTR)) {
    await(tcp_socket::wait_read);
  } else {
    count_tls(tls_outcome::left);
    close(false);
  }
}

/// Each time that a hello, or a part of one, may have come: who sends it in pieces, or is asked for another one, does
/// not get past the line with it. Those that have been answered do not wait any more: what is left to do is little.
void tls_opening::wait_in_line() {
  context().handshakes.enter([self = boost::intrusive_ptr<tls_opening>{this}] {
    if (!self->is_over())
      self->go_on();
  });
}

void tls_opening::go_on() {
  const auto at = shake();
  if (at == step::over) {
    count_tls(tls_outcome::left);
    close(false);
    return;
  }
  if (at == step::failed) {
    refuse();
    return;
  }
  awaits_hello_ = at == step::hello;
  is_done_ = at == step::done;
  if (layer_->holds_output())
    await(tcp_socket::wait_write);
  else if (is_done_)
    pass_on();
  else
    await(tcp_socket::wait_read);
}

/// As far as it gets now, at the expense of the turn and of what handshakes may take.
tls_opening::step tls_opening::shake() {
  const charged_time charged{context().sockets};
  return context().handshakes.measure([this] {
    if (!layer_)
      layer_ = std::make_unique<tls_layer>(source_.current().get(), &context().metrics);
    const auto descriptor = socket().native_handle();
    if (layer_->flush(descriptor) != 0)
      return step::over;
    return is_done_ ? step::done : layer_->shake(descriptor);
  });
}

void tls_opening::pass_on() {
  count_tls(layer_->is_resumed() ? tls_outcome::resumed : tls_outcome::full);
  context().metrics.sent_bytes_total.add(layer_->take_wire_bytes());
  auto connection = hand_on();
  connection.set_layer(std::move(layer_), context().sockets);
  std::exchange(arrived_, {})(std::move(connection), std::move(from_));
}

void tls_opening::refuse() {
  const auto fault = layer_->fault();
  const char* const why = ERR_reason_error_string(fault);
  note_failure(is_about_certificate(fault) ? tls_outcome::unverified : tls_outcome::failed,
               why != nullptr ? why : "unknown error");
  layer_.reset();
  linger(); // it gets to read the alert
}

void tls_opening::note_failure(tls_outcome outcome, std::string_view why) {
  count_tls(outcome);
  if (spdlog::should_log(spdlog::level::debug)) {
    const auto client = socket().client();
    spdlog::debug("shut peer={} reason=tls text=\"{}\"", client ? client_text(*client) : "", why);
  }
}

/// Why it was refused is counted before the answer leaves, so that whoever has read that finds it in the metrics.
void tls_opening::answer_plain() {
  const charged_time charged{context().sockets};
  const bool is_text = take_text();
  count(reject_reason::bad_request);
  note_failure(tls_outcome::not_tls, "no TLS");
  if (!is_text) {
    close(false);
    return;
  }
  const auto answer = plain_on_tls_answer();
  if (write_now(socket().native_handle(), answer.data(), answer.size()) > 0)
    context().metrics.sent_bytes_total.add(answer.size());
  linger();
}

/// @returns whether it is text that came, for which there is an answer.
bool tls_opening::take_text() {
  const auto scrap = context().sockets.scratch();
  const auto got = read_now(socket().native_handle(), scrap);
  return got.size > 0 && scrap.front() >= 'A' && scrap.front() <= 'Z';
}

void tls_opening::on_given_up(reject_reason why) {
  count_tls(why == reject_reason::timeout ? tls_outcome::timeout : tls_outcome::crowded);
  layer_.reset();
}

} // namespace

std::string plain_on_tls_answer() {
  return refusal_response("400 Bad Request", "this port speaks TLS: https and wss", {});
}

void begin_tls(loop_context& context, client_socket&& socket, const tls_source& source,
               address_counts::arrival&& from, tls_arrival arrived) {
  const boost::intrusive_ptr<tls_opening> beginning{
    new tls_opening{context, std::move(socket), source, std::move(from), std::move(arrived)}};
  beginning->start();
}

} // namespace canang::net
