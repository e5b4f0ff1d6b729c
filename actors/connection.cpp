#include "actors/connection.hpp"

#include "actors/runtime/pinned.hpp"
#include "net/auth/decide_now.hpp"
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

/// On the loop's wheel while a connection has more to send than it may: wakes it when it may again, then looks
/// whether that was all.
class connection::pace final : public net::timing_wheel::entry {
public:
  using clock = net::timing_wheel::clock;

  pace(connection& owner, clock::time_point since) : owner_(owner), since_(since) {}

  /// Since when it has had more to send, on end.
  [[nodiscard]] clock::time_point since() const noexcept { return since_; }

  bool is_holding = true; ///< it is not read

private:
  /// May be destroyed by it.
  void on_deadline(clock::time_point now) override {
    auto& owner = owner_;
    const auto alive = caf::actor_cast<caf::actor>(&owner);
    owner.enter([&] { owner.on_pace(now); });
  }

  connection& owner_;
  clock::time_point since_;
};

connection::connection(caf::actor_config& config, const connection_services& services,
                       net::session_ptr session, const net::dialect& language)
  : slim_actor(config), services_(services), session_(std::move(session)), language_(language) {}

connection::~connection() = default;

void connection::on_mail(caf::type_erased_tuple& content) {
  if (content.match_elements<published>()) {
    on_published(content.get_as<published>(0));
  } else if (content.match_elements<joined>()) {
    room_ = std::move(content.get_mutable_as<joined>(0).room);
    settle_reading();
  } else if (content.match_elements<join_failed>()) {
    if (session_)
      session_->refuse(content.get_as<join_failed>(0).reason);
  }
}

void connection::start(const net::connection_parameters& parameters) {
  session_->attach(std::make_unique<port>(caf::actor_cast<caf::actor>(this)));
  session_->pause_reading(held_back_);
  services_.members.attach(id(), session_);
  services_.beats.watch(beat_, *session_, services_.context.now());
  if (spdlog::should_log(spdlog::level::debug))
    log_connect(parameters.room);
  echo_ = parameters.echo;
  language_.on_open(parameters, *this);
}

void connection::log_connect(const std::string& room) {
  rare_ = std::make_unique<rare>();
  const auto& facts = rare_->facts.emplace(log_facts{session_->peer(), net::log_field(room)});
  spdlog::debug("connect id={} peer={} room={}", id(), facts.peer, facts.room);
}

void connection::on_message(net::frame_type type, std::span<const char> payload) {
  language_.decode(type, payload, *this);
}

void connection::on_command(net::join_command&& command) {
  if (!may(net::room_action::subscribe, command.room, command.user)) {
    session_->refuse(net::reject_reason::forbidden);
    return;
  }
  if ((command.history != 0 || command.since)
      && !may(net::room_action::history, command.room, command.user)) {
    command.history = 0; // nothing is recovered, and so it is told
    command.since.reset();
  }
  const auto home = home_of(command.room, services_.cast.size());
  join_room request;
  request.room = std::move(command.room);
  request.connection = caf::actor_cast<caf::actor>(this);
  request.loop = services_.loop;
  request.language = &language_;
  request.wanted.limit = command.history;
  if (command.since)
    request.wanted.since =
      cluster::position{std::move(command.since->epoch), command.since->offset};
  services_.members.note_user(id(), command.user);
  request.user = std::move(command.user);
  send(services_.cast[home].directory, std::move(request));
}

void connection::on_command(const net::publish_command& command) {
  auto message = std::make_shared<cluster::publication>();
  message->publisher = id();
  message->received_at = services_.context.now();
  message->type = command.type == net::frame_type::text ? cluster::payload_type::text
                                                        : cluster::payload_type::binary;
  message->echo = echo_;
  message->data.assign(command.data.data(), command.data.size());
  ++unanswered_;
  unanswered_bytes_ += static_cast<std::uint32_t>(command.data.size());
  send(room_, publish{std::move(message), {}});
  settle_reading();
  pay(command.data.size());
}

bool connection::has_too_much_unanswered() const noexcept {
  return unanswered_ >= max_unanswered || unanswered_bytes_ >= max_unanswered_bytes;
}

/// The one place that decides whether the client is read.
void connection::settle_reading() {
  const bool is_too_fast = rare_ && rare_->held && rare_->held->is_holding;
  const bool holds = is_too_fast || has_too_much_unanswered();
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

/// It is read again when it may send more; one that had more to send all the while for long is closed.
void connection::slow_down(net::publish_allowance::clock::time_point now) {
  if (!rare_)
    rare_ = std::make_unique<rare>();
  auto& held = rare_->held;
  if (!held)
    held = std::make_unique<pace>(*this, now);
  if (now - held->since() >= net::longest_overuse) {
    held.reset();
    drop_rare_if_empty();
    session_->close(1008, "publish rate", net::close_reason::rate_limited);
    return;
  }
  held->is_holding = true;
  services_.context.deadlines.schedule(*held, allowance_.next());
  settle_reading();
}

/// First it is read again. A tick later: if it has sent more than it may, it is held again already; if it has
/// more to send that only we have not read yet, it had no chance. Otherwise all is as it was before.
void connection::on_pace(net::publish_allowance::clock::time_point now) {
  auto& held = rare_->held;
  const bool was_holding = std::exchange(held->is_holding, false);
  settle_reading();
  if (was_holding || (session_->has_unread() && !has_too_much_unanswered())) {
    services_.context.deadlines.schedule(*held, now + services_.context.deadlines.tick());
    return;
  }
  held.reset();
  drop_rare_if_empty();
}

void connection::drop_rare_if_empty() {
  if (!rare_->facts && !rare_->held)
    rare_.reset();
}

void connection::on_published(const published& answer) {
  --unanswered_;
  unanswered_bytes_ -= answer.bytes;
  settle_reading();
  if (answer.refusal == publish_refusal::not_allowed)
    tell_fault(net::publish_fault::not_allowed);
  else if (answer.refusal == publish_refusal::too_large)
    tell_fault(net::publish_fault::too_large);
  else if (answer.outcome.error == cluster::broker_errc::refused)
    tell_fault(net::publish_fault::refused);
  else if (answer.outcome.error != cluster::broker_errc::none)
    tell_fault(net::publish_fault::unavailable);
}

void connection::tell_fault(net::publish_fault fault) {
  const auto frame = services_.context.buffers.make();
  if (language_.encode_publish_fault(fault, frame->bytes()))
    session_->send(frame, 0, frame->size());
  else if (fault == net::publish_fault::not_allowed)
    session_->close(1008, "not allowed", net::close_reason::not_allowed);
  else if (fault == net::publish_fault::too_large)
    session_->close(1009, "message too big for this room", net::close_reason::too_big);
  else
    session_->close(1013, "try again later", net::close_reason::publish_failed);
}

bool connection::may(net::room_action what, const std::string& room,
                     const std::string& user) const {
  return services_.access == nullptr
         || net::decide_now(*services_.access, {net::identity{user}, what, room, true});
}

void connection::on_closed(const net::close_info& info) {
  if (rare_ && rare_->facts)
    spdlog::debug("disconnect id={} peer={} room={} code={} reason={}", id(), rare_->facts->peer,
                  rare_->facts->room, info.code, net::to_string(info.reason));
  beat_.cancel();
  session_ = nullptr; // it may still have a close frame to see off, for which it needs nobody
  quit();
}

/// Runs whatever it was that ended the actor.
void connection::on_exit() {
  beat_.cancel();
  rare_.reset(); // off the wheel of this loop
  services_.members.detach(id());
  if (session_) // the session is not over: the fault is ours
    session_->abort(net::close_reason::handler_error);
  session_ = nullptr; // here: the last reference to this actor may be dropped on another loop
  room_ = nullptr;
}

void start_connection(caf::actor_system& system, caf::execution_unit& home,
                      const connection_services& services, net::session_ptr session,
                      const net::dialect& language, const net::connection_parameters& parameters) {
  const auto handle =
    spawn_pinned<connection>(system, home, services, std::move(session), language);
  auto& started = *caf::actor_cast<connection*>(handle);
  started.enter([&] { started.start(parameters); });
}

} // namespace canang::actors
