#include "actors/connection.hpp"

#include "actors/connection_impl.hpp"
#include "actors/interfaces.hpp"
#include "actors/runtime/pinned.hpp"
#include "actors/runtime/typed_mail.hpp"
#include "net/close_code.hpp"
#include "net/log_text.hpp"

#include <caf/actor_cast.hpp>
#include <spdlog/spdlog.h>

#include <utility>

namespace canang::actors {

namespace {

/// Publishes of one client that may be on their way to the room and the broker. Above it the client
/// is not read, so that no mailbox grows without limit; TCP tells the client to slow down.
constexpr std::uint16_t max_unanswered = 256;
constexpr std::uint32_t max_unanswered_bytes = 1024 * 1024;

/// Lets a session call its connection, and keeps the actor alive as long as the session is open.
class port final : public net::session_handler {
public:
  explicit port(caf::actor owner)
    : owner_(std::move(owner)), target_(*caf::actor_cast<connection*>(owner_)) {}

  void on_message(net::frame_type type, std::span<const char> payload) override {
    target_.enter([&] { target_.on_message(type, payload); });
  }

  void on_frame() override {
    target_.enter([&] { target_.on_frame(); });
  }

  void on_closed(const net::close_info& info) override {
    target_.enter([&] { target_.on_closed(info); });
  }

private:
  caf::actor owner_;
  connection& target_;
};

} // namespace

connection::connection(caf::actor_config& config, const connection_services& services,
                       net::session_ptr session, const net::wire_format& format)
  : slim_actor(config),
    services_(services),
    session_(std::move(session)),
    format_(format),
    talk_(format.language.converse()) {}

connection::~connection() = default;

void connection::on_mail(caf::type_erased_tuple& content) {
  services_.context.assert_on_loop();
  handle_mail<interfaces::connection>(
    content, overloaded{
               [this](const published& answer) { on_published(answer); },
               [this](const join_failed& answer) { on_join_failed(answer); },
               [this](const room_told& answer) { on_room_told(answer); },
               [this](const history_told& answer) { on_history_told(answer); },
             });
}

void connection::start(const net::connection_parameters& parameters) {
  session_->attach(std::make_unique<port>(caf::actor_cast<caf::actor>(this)));
  session_->pause_reading(held_back_);
  services_.members.attach(id(), session_, this);
  // one that expects pings has none before it has said who it is, for which it has a deadline
  if (!session_->expects_pings())
    services_.beats.watch(beat_, *session_, services_.context.now());
  if (spdlog::should_log(spdlog::level::debug))
    log_connect(parameters.room);
  if (services_.hooks != nullptr)
    ensure_rare().backend = std::make_unique<asked_backend>(
      asked_backend{.origin = parameters.origin ? parameters.origin
                                                : std::make_shared<const net::hook_origin>()});
  talk_->on_open(parameters, *this);
  is_started_ = true;
}

void connection::on_message(net::frame_type type, std::span<const char> payload) {
  say_together([&] { talk_->decode(type, payload, *this); });
}

/// What was said since the message began.
void connection::send_replies() {
  auto* const batch = services_.replies;
  if (batch == nullptr || batch->of != this)
    return;
  const auto said = std::exchange(batch->bytes, nullptr);
  if (!said || said->size() == 0)
    return;
  format_.frames.finish(said->bytes());
  session_->send(said, 0, said->size());
}

/// What it would still be told: it is about to be closed.
void connection::say_all() {
  services_.members.answers().write();
  send_replies();
}

/// For what the client is told now.
const net::framing& connection::frames() const noexcept {
  const auto* const batch = services_.replies;
  return batch != nullptr && batch->of == this ? format_.frames.of_turn() : format_.frames;
}

net::connection_facts connection::facts() const {
  net::connection_facts facts{.node = services_.node,
                              .connection = id(),
                              .pings = services_.pings,
                              .session = session_->secret()};
  if (rare_ && rare_->lives && rare_->lives->of_connection && !has_hook(net::hook_kind::refresh))
    facts.expires_in_s = seconds_until(*rare_->lives->of_connection);
  if (rare_ && rare_->backend)
    facts.data = net::told(rare_->backend->told);
  if (rare_)
    facts.rooms = rare_->chosen;
  if (!services_.personal_room.empty() && !who().user.empty())
    facts.rooms.push_back(std::string{services_.personal_room} + who().user);
  return facts;
}

void connection::log_connect(const std::string& room) {
  auto& facts = ensure_rare().facts;
  facts = std::make_unique<rare::log_facts>();
  facts->peer = session_->peer();
  facts->room = net::log_field(room);
  spdlog::debug("connect id={} peer={} room={}", id(), facts->peer, facts->room);
}

// --- who it is

void connection::open() {
  services_.context.assert_on_loop();
  if (is_opened_)
    return;
  is_opened_ = true;
  session_->open();
  settle_reading();
  if (!is_identified_ && !is_identifying_)
    await_identity();
}

void connection::await_identity() {
  auto& of = ensure_rare();
  if (of.identify_by == clock::time_point{})
    of.identify_by = services_.context.now() + net::identify_timeout;
  of.identifies = std::make_unique<deadline>(*this, &connection::on_silence);
  services_.context.deadlines.schedule(*of.identifies, of.identify_by);
}

void connection::on_silence(clock::time_point /*now*/) {
  rare_->identifies.reset();
  drop_rare_if_empty();
  session_->close(1008, "did not say who it is", net::close_reason::unidentified);
}

// --- what it is told

void connection::reply(net::frame_type type, std::string_view payload) {
  tell([&](std::string& out) { frames().append(out, type, payload); });
  pay_for_command();
}

void connection::close(std::uint16_t code, std::string_view text) {
  say_all();
  session_->close(code, text, net::close_reason::protocol_error);
}

void connection::fail(const net::failed_command& failed) {
  note_refused(failed.why);
  auto told = failed;
  const auto reason = failed.text.empty() ? reason_told(failed.why, failed.room) : std::string{};
  if (!reason.empty())
    told.text = reason;
  bool is_told = false;
  tell([&](std::string& out) { is_told = talk_->encode_fault(told, frames(), out); });
  if (!is_told)
    give_up(told);
}

/// Its token is no good, or is not any more.
void connection::end_for(net::close_reason why) {
  say_all();
  if (why == net::close_reason::expired)
    session_->close(net::connection_expired, "connection expired", why);
  else
    session_->close(net::invalid_token, "invalid token", why);
}

namespace {

net::reject_reason rejection_of(net::command_fault why) noexcept {
  switch (why) {
  case net::command_fault::room_limit: return net::reject_reason::rooms;
  case net::command_fault::not_allowed: return net::reject_reason::forbidden;
  case net::command_fault::no_token: return net::reject_reason::no_token;
  case net::command_fault::bad_token: return net::reject_reason::bad_token;
  case net::command_fault::token_expired: return net::reject_reason::expired;
  default: return net::reject_reason::unavailable;
  }
}

} // namespace

/// There is no word for what went wrong but the end of the connection.
void connection::give_up(const net::failed_command& failed) {
  say_all();
  using fault = net::command_fault;
  const auto why = failed.why;
  if (failed.what == net::command_kind::join && (why == fault::banned || why == fault::room_full)) {
    if (why == fault::banned)
      end_with(net::banned, failed.text, net::close_reason::disconnected);
    else
      end_with(1013, failed.text, net::close_reason::join_failed);
    return;
  }
  if (!is_opened_) {
    session_->refuse(rejection_of(why));
    return;
  }
  switch (why) {
  case fault::banned:
  case fault::muted:
  case fault::locked:
  case fault::too_soon: session_->close(1008, failed.text, net::close_reason::not_allowed); return;
  case fault::not_allowed:
    session_->close(1008, "not allowed", net::close_reason::not_allowed);
    return;
  case fault::no_token:
  case fault::bad_token: end_for(net::close_reason::bad_token); return;
  case fault::token_expired: end_for(net::close_reason::expired); return;
  case fault::too_large:
    session_->close(1009, "message too big for this room", net::close_reason::too_big);
    return;
  default:
    session_->close(1013, "try again later",
                    failed.what == net::command_kind::join ? net::close_reason::join_failed
                                                           : net::close_reason::publish_failed);
  }
}

// --- flow control

bool connection::has_too_much_unanswered() const noexcept {
  return unanswered_ >= max_unanswered || unanswered_bytes_ >= max_unanswered_bytes;
}

/// The one place that decides whether the client is read.
void connection::settle_reading() {
  const bool is_too_fast = rare_ && rare_->held && rare_->held->is_holding;
  const bool has_waiting = rare_
                           && (!rare_->waiting.empty() || !rare_->queries.empty()
                               || !rare_->checks.empty() || rare_->is_checking);
  const bool holds =
    !is_opened_ || is_identifying_ || is_too_fast || has_waiting || has_too_much_unanswered();
  if (holds == held_back_)
    return;
  held_back_ = holds;
  session_->pause_reading(holds);
}

/// Charges what was read already: a message, or a frame that is none.
void connection::pay(std::size_t bytes) {
  const auto price = services_.price.of(bytes);
  if (price == 0)
    return;
  const auto now = services_.context.now();
  allowance_.take(price, now);
  if (allowance_.is_used_up(now))
    slow_down(now);
}

void connection::pay_for_command() {
  if (is_started_)
    pay(0);
}

/// It is read again when it may send more; one that had more to send all the while for long is closed.
void connection::slow_down(net::publish_allowance::clock::time_point now) {
  auto& held = ensure_rare().held;
  if (!held)
    held = std::make_unique<rare::overuse>(*this, now);
  if (now - held->since >= net::longest_overuse) {
    held.reset();
    drop_rare_if_empty();
    say_all();
    session_->close(1008, "publish rate", net::close_reason::rate_limited);
    return;
  }
  held->is_holding = true;
  services_.context.deadlines.schedule(held->wakes, allowance_.next());
  settle_reading();
}

/// First it is read again. A tick later: if it has sent more than it may, it is held again already; if it has
/// more to send that only we have not read yet, it had no chance. Otherwise all is as it was before.
void connection::on_pace(net::publish_allowance::clock::time_point now) {
  auto& held = rare_->held;
  const bool was_holding = std::exchange(held->is_holding, false);
  settle_reading();
  if (was_holding || (session_->has_unread() && !has_too_much_unanswered())) {
    services_.context.deadlines.schedule(held->wakes, now + services_.context.deadlines.tick());
    return;
  }
  held.reset();
  drop_rare_if_empty();
}

connection::rare& connection::ensure_rare() {
  if (!rare_)
    rare_ = std::make_unique<rare>();
  return *rare_;
}

void connection::drop_rare_if_empty() {
  if (rare_ && rare_->is_empty())
    rare_.reset();
}

// --- its end

void connection::on_closed(const net::close_info& info) {
  if (rare_ && rare_->facts)
    spdlog::debug("disconnect id={} peer={} room={} code={} reason={}", id(), rare_->facts->peer,
                  rare_->facts->room, info.code, net::to_string(info.reason));
  tell_that_it_has_gone(info.code, info.reason);
  beat_.cancel();
  session_ = nullptr; // it may still have a close frame to see off, for which it needs nobody
  quit();
}

/// Runs whatever it was that ended the actor.
void connection::on_exit() {
  if (session_)
    tell_that_it_has_gone(net::close_info{}.code, net::close_reason::handler_error);
  beat_.cancel();
  if (rare_ && !rare_->followed.empty())
    end_followed();
  rare_.reset(); // off the wheel of this loop
  services_.members.detach(id());
  if (session_) // the session is not over: the fault is ours
    session_->abort(net::close_reason::handler_error);
  session_ = nullptr; // here: the last reference to this actor may be dropped on another loop
  talk_.reset();
  subscriptions_.clear();
}

void start_connection(caf::actor_system& system, caf::execution_unit& home,
                      const connection_services& services, net::session_ptr session,
                      const net::wire_format& format,
                      const net::connection_parameters& parameters) {
  const auto handle = spawn_pinned<connection>(system, home, services, std::move(session), format);
  auto& started = *caf::actor_cast<connection*>(handle);
  started.enter([&] { started.start(parameters); });
}

} // namespace canang::actors
