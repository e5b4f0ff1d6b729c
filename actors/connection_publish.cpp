#include "actors/connection_impl.hpp"

#include <algorithm>
#include <iterator>

// What a client publishes: whether it may, and what became of it.

namespace canang::actors {

void connection::on_command(const net::publish_command& command) {
  services_.context.assert_on_loop();
  auto* const to = command.room             ? find(*command.room)
                   : subscriptions_.empty() ? nullptr
                                            : &subscriptions_.front();
  if (command.is_from_outside && is_identified_ && to == nullptr)
    publish_outside(command);
  else if (command.is_from_outside && is_identified_ && !to->is_joined())
    wait_for(*to, command); // it has just asked to join
  else if (to != nullptr && to->is_joined() && !has_verdict(*to))
    wait_for_verdict(*to, command);
  else if (const auto why = fault_of(to, command.data.size()))
    fail({net::command_kind::publish, *why, command.request, command.room.value_or("")});
  else
    publish_or_ask(*to, {.subscription = to->id,
                         .request = command.request,
                         .message = publication_of(command, to),
                         .key = std::string{command.idempotency_key},
                         .outlives_room = command.room.has_value()});
  pay(command.data.size());
}

std::optional<net::command_fault> connection::fault_of(const subscription* to,
                                                       std::size_t bytes) const {
  if (!is_identified_)
    return net::command_fault::unidentified;
  if (to == nullptr || !to->is_joined())
    return net::command_fault::not_joined;
  if (to->may_publish == subscription::permission::refused)
    return silenced_in(name_of(*to)).value_or(net::command_fault::not_allowed);
  if (bytes > to->max_message_bytes)
    return net::command_fault::too_large;
  return std::nullopt;
}

std::shared_ptr<cluster::publication>
connection::publication_of(const net::publish_command& command, const subscription* in) {
  auto message = std::make_shared<cluster::publication>();
  message->publisher = id();
  message->received_at = services_.context.now();
  message->type = command.type == net::frame_type::text ? cluster::payload_type::text
                                                        : cluster::payload_type::binary;
  message->echo = in == nullptr || in->echo;
  if (command.tells_author)
    message->notes = authorship(in);
  message->data.assign(command.data.data(), command.data.size());
  return message;
}

void connection::publish_or_ask(subscription& to, waiting_publish&& one) {
  if (to.may_publish == subscription::permission::hooked)
    ask_hook_to_publish(std::string{name_of(to)}, std::move(one));
  else
    send_publish(to, std::move(one.message), one.request, std::move(one.key), one.outlives_room);
}

/// Clients that may be in many rooms hear of each publish, also where the room dies alone.
void connection::send_publish(subscription& to, std::shared_ptr<cluster::publication> message,
                              std::uint32_t request, std::string key, bool outlives_room) {
  const auto bytes = static_cast<std::uint32_t>(message->data.size());
  ++unanswered_;
  unanswered_bytes_ += bytes;
  publish order{std::move(message), std::move(key), to.id, request};
  if (to.is_paced)
    order.pace = pace_in(name_of(to));
  if (outlives_room)
    order.ticket = new publish_ticket{caf::actor_cast<caf::actor>(this), to.id, request, bytes};
  send(to.room, std::move(order));
  settle_reading();
}

// --- whether it may

std::uint32_t connection::generation() const noexcept {
  return services_.authorizer == nullptr
           ? 0U
           : static_cast<std::uint32_t>(services_.authorizer->generation()
                                        & subscription::generation_bits);
}

bool connection::has_verdict(const subscription& to) const noexcept {
  using permission = subscription::permission;
  return (to.may_publish == permission::allowed || to.may_publish == permission::refused
          || to.may_publish == permission::hooked)
         && to.generation == generation();
}

/// Meanwhile the client is not read, so what waits is what one message of it brought.
void connection::wait_for_verdict(subscription& to, const net::publish_command& command) {
  wait_for(to, command);
  ask_whether_it_may_publish(to);
}

void connection::wait_for(const subscription& to, const net::publish_command& command) {
  ensure_rare().waiting.push_back({.subscription = to.id,
                                   .request = command.request,
                                   .message = publication_of(command, &to),
                                   .key = std::string{command.idempotency_key},
                                   .outlives_room = command.room.has_value()});
  settle_reading();
}

/// What waited for the room's answer waits for that of the authorizer.
void connection::on_joined(subscription& to) {
  if (!rare_ || rare_->waiting.empty())
    return;
  if (has_verdict(to))
    on_publish_verdict(to.id, to.generation,
                       to.may_publish == subscription::permission::hooked ? net::verdict::ask
                                                                          : net::verdict::allowed);
  else
    ask_whether_it_may_publish(to);
}

void connection::ask_whether_it_may_publish(subscription& to) {
  if (to.may_publish == subscription::permission::asking)
    return;
  to.may_publish = subscription::permission::asking;
  services_.authorizer->decide(
    {.who = who(), .what = net::room_action::publish, .room = name_of(to), .is_member = true},
    continue_with([id = to.id, asked = generation()](connection& self, net::verdict verdict) {
      self.on_publish_verdict(id, asked, verdict);
    }));
}

void connection::on_publish_verdict(subscription_id id, std::uint32_t asked_in,
                                    net::verdict verdict) {
  using permission = subscription::permission;
  auto* const asked = find(id);
  if (asked == nullptr)
    return; // it has left
  const bool may = verdict == net::verdict::allowed || verdict == net::verdict::ask;
  const bool is_silenced = may && silenced_in(name_of(*asked));
  asked->may_publish = verdict == net::verdict::refused || is_silenced ? permission::refused
                       : verdict == net::verdict::allowed              ? permission::allowed
                       : verdict == net::verdict::ask                  ? permission::hooked
                                                                       : permission::unknown;
  asked->generation = asked_in & subscription::generation_bits;
  note_limit(*asked);
  for (auto& one : take_waiting(id)) {
    if (one.message->notes) // what the room's token says was not known while it joined
      one.message->notes = authorship(asked);
    const auto why = verdict == net::verdict::unavailable
                       ? net::command_fault::unavailable
                       : fault_of(asked, one.message->data.size());
    if (why)
      fail({net::command_kind::publish, *why, one.request, name_of(*asked)});
    else
      publish_or_ask(*asked, std::move(one));
  }
  settle_reading();
}

/// What its room's settings say now.
void connection::note_limit(subscription& of) {
  if (services_.settings == nullptr)
    return;
  const auto settings = services_.settings->get()->of(name_of(of));
  of.max_message_bytes =
    static_cast<std::uint32_t>(std::min<std::size_t>(settings.max_message_bytes, UINT32_MAX));
  of.is_paced = settings.slow_mode.count() != 0;
}

/// Those of that membership, in their order.
std::vector<connection::waiting_publish> connection::take_waiting(subscription_id id) {
  std::vector<waiting_publish> taken;
  if (!rare_)
    return taken;
  auto& all = rare_->waiting;
  const auto others = std::stable_partition(
    all.begin(), all.end(), [id](const waiting_publish& one) { return one.subscription == id; });
  taken.assign(std::make_move_iterator(all.begin()), std::make_move_iterator(others));
  all.erase(all.begin(), others);
  drop_rare_if_empty();
  return taken;
}

void connection::drop_waiting(subscription_id id, net::command_fault why, std::string_view room) {
  for (const auto& one : take_waiting(id))
    fail({net::command_kind::publish, why, one.request, room});
  settle_reading();
}

// --- what became of it

void connection::on_published(const published& answer) {
  --unanswered_;
  unanswered_bytes_ -= answer.bytes;
  settle_reading();
  if (rare_ && !rare_->followed.empty()) [[unlikely]]
    on_followed(answer);
  const auto error = answer.outcome.error;
  if (answer.wait.count() > 0) {
    tell_too_soon(answer);
  } else if (error != cluster::broker_errc::none) {
    const auto* const to = find(answer.subscription);
    fail({net::command_kind::publish,
          error == cluster::broker_errc::refused ? net::command_fault::refused
                                                 : net::command_fault::unavailable,
          answer.request, to == nullptr ? std::string_view{} : name_of(*to)});
  } else if (answer.request != 0) {
    const auto& at = answer.outcome.at;
    talk_->encode_stored({answer.request, at.epoch, at.offset}, format_.frames.of_turn(),
                         services_.members.answers().of(session_, format_.frames));
  }
}

} // namespace canang::actors
