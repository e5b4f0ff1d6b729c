#include "actors/connection.hpp"

#include "actors/pinned.hpp"
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

  void on_closed(const net::close_info& info) override {
    target_.enter([&] { target_.on_closed(info); });
  }

private:
  caf::actor owner_;
  connection& target_;
};

} // namespace

connection::connection(caf::actor_config& config, const connection_services& services,
                       net::session_ptr session, const net::dialect& language)
  : slim_actor(config), services_(services), session_(std::move(session)), language_(language) {}

void connection::on_mail(caf::type_erased_tuple& content) {
  if (content.match_elements<published>()) {
    on_published(content.get_as<published>(0));
  } else if (content.match_elements<joined>()) {
    room_ = std::move(content.get_mutable_as<joined>(0).room);
    session_->pause_reading(false);
  } else if (content.match_elements<join_failed>()) {
    if (session_)
      session_->refuse(content.get_as<join_failed>(0).reason);
  }
}

void connection::start(const net::connection_parameters& parameters) {
  session_->attach(std::make_unique<port>(caf::actor_cast<caf::actor>(this)));
  session_->pause_reading(true); // until it may publish
  services_.members.attach(id(), session_);
  services_.beats.watch(beat_, *session_, services_.context.now());
  if (spdlog::should_log(spdlog::level::debug))
    log_connect(parameters.room);
  echo_ = parameters.echo;
  language_.on_open(parameters, *this);
}

void connection::log_connect(const std::string& room) {
  log_facts_ = std::make_unique<log_facts>(log_facts{session_->peer(), net::log_field(room)});
  spdlog::debug("connect id={} peer={} room={}", id(), log_facts_->peer, log_facts_->room);
}

void connection::on_message(net::frame_type type, std::span<const char> payload) {
  language_.decode(type, payload, *this);
}

void connection::on_command(net::join_command&& command) {
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
  hold_back();
}

void connection::hold_back() {
  const bool is_over = unanswered_ >= max_unanswered || unanswered_bytes_ >= max_unanswered_bytes;
  if (is_over == held_back_)
    return;
  held_back_ = is_over;
  session_->pause_reading(is_over);
}

void connection::on_published(const published& answer) {
  --unanswered_;
  unanswered_bytes_ -= answer.bytes;
  hold_back();
  if (answer.outcome.error != cluster::broker_errc::none)
    tell_fault(answer.outcome.error);
}

void connection::tell_fault(cluster::broker_errc error) {
  const auto frame = services_.context.buffers.make();
  const auto fault = error == cluster::broker_errc::refused ? net::publish_fault::refused
                                                            : net::publish_fault::unavailable;
  if (language_.encode_publish_fault(fault, frame->bytes()))
    session_->send(frame, 0, frame->size());
  else
    session_->close(1013, "try again later", net::close_reason::publish_failed);
}

void connection::on_closed(const net::close_info& info) {
  if (log_facts_)
    spdlog::debug("disconnect id={} peer={} room={} code={} reason={}", id(), log_facts_->peer,
                  log_facts_->room, info.code, net::to_string(info.reason));
  beat_.cancel();
  session_ = nullptr; // it may still have a close frame to see off, for which it needs nobody
  quit();
}

/// Runs whatever it was that ended the actor.
void connection::on_exit() {
  beat_.cancel();
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
