#include "actors/connection_impl.hpp"
#include "actors/hook_words.hpp"
#include "base/unix_time.hpp"
#include "net/hooks/hook_source.hpp"

#include <utility>
#include <variant>

// What the operator's program is asked about a client. One question of a client at a time, but for those that the
// server has; meanwhile the client is not read, so what waits is what one message of it brought.

namespace canang::actors {

namespace {

using net::hook_kind;
using net::hook_outcome;

/// Questions of a client that wait for the ones before: as many as publishes may be unanswered, and more than a client
/// needs that comes back to all its rooms. One message has room for thousands.
constexpr std::size_t max_waiting_questions = 256;

} // namespace

bool connection::is_asked_enough() const noexcept {
  return rare_ && rare_->checks.size() >= max_waiting_questions;
}

bool connection::has_hook(hook_kind what) const noexcept {
  return services_.hooks != nullptr && rare_ && rare_->backend && services_.hooks->has(what);
}

void connection::ask_hook(hook_kind what, const net::hook_question& question, hook_next next) {
  const auto& backend = *rare_->backend;
  const auto client = net::client_name(facts());
  auto asked = question;
  asked.client = client;
  asked.user = who().user;
  asked.meta = backend.meta;
  services_.hooks->ask(
    {.what = what,
     .body = net::encode_hook_request(what, asked, *backend.origin),
     .origin = backend.origin,
     .asker = backend.here,
     .home = &services_.context.io,
     .done = continue_with([next = std::move(next)](connection& self, hook_outcome&& outcome) {
       if (self.session_)
         next(self, std::move(outcome));
     }),
     .trace = services_.tracer == nullptr ? std::nullopt : services_.tracer->begin()});
}

// --- who it is

/// One with a token shows that; what stands in `Authorization` may be meant for a proxy in front.
bool connection::is_for_hook(const net::credentials& shown) const noexcept {
  const bool are_tokens_expected =
    services_.authorizer != nullptr && services_.authorizer->are_tokens_expected();
  return has_hook(hook_kind::connect)
         && (shown.token.empty() || (shown.is_of_field && !are_tokens_expected));
}

void connection::ask_who_it_is(const net::identify_command& command) {
  ask_hook(hook_kind::connect,
           {.data = command.data,
            .has_data = !command.data.empty(),
            .name = command.name,
            .version = command.version,
            .rooms = command.rooms},
           [](connection& self, hook_outcome&& outcome) { self.on_told_who(std::move(outcome)); });
}

/// Rooms that are for no client are not entered this way either.
void connection::on_told_who(hook_outcome&& outcome) {
  refuse_if_over(outcome, unix_s());
  auto* const told = std::get_if<net::hook_result>(&outcome);
  if (told == nullptr) {
    is_identifying_ = false;
    fail_as_told({.what = net::command_kind::identify}, outcome);
    return;
  }
  auto& backend = *rare_->backend;
  backend.meta = std::move(told->meta);
  backend.told = std::move(told->data);
  if (services_.settings != nullptr)
    std::erase_if(told->rooms, [table = services_.settings->get()](const auto& room) {
      return table->of(room).subscribe == cluster::who_may::nobody;
    });
  on_proof(net::proof::good, {.who = {.user = std::move(told->user),
                                      .is_proved = true,
                                      .info = std::move(told->info),
                                      .grants = std::move(told->grants)},
                              .expires_at = told->expires_at,
                              .rooms = std::move(told->rooms)});
}

// --- whether it may be in a room

void connection::ask_hook_to_join(subscription_id id) {
  if (is_asked_enough()) {
    on_join_failed({id, net::command_fault::unavailable});
    return;
  }
  when_checked([id](connection& self) {
    auto* const asked = self.find(id);
    if (asked == nullptr || asked->stands != subscription::state::asking) {
      self.on_checked(); // it has left
      return;
    }
    const auto& wish = *asked->wish;
    self.ask_hook(hook_kind::subscribe,
                  {.room = wish.room, .data = wish.data, .has_data = !wish.data.empty()},
                  [id](connection& of, hook_outcome&& outcome) {
                    of.on_told_of_join(id, std::move(outcome));
                    of.on_checked();
                  });
  });
}

void connection::on_told_of_join(subscription_id id, hook_outcome&& outcome) {
  auto* const asked = find(id);
  if (asked == nullptr || asked->stands != subscription::state::asking)
    return; // it has left
  refuse_if_over(outcome, unix_s());
  if (auto* const told = std::get_if<net::hook_result>(&outcome)) {
    set_expiry(id, told->expires_at);
    asked->wish->room_info = std::move(told->info);
    asked->wish->told = std::move(told->data);
    on_join_verdict(id, net::verdict::allowed);
  } else if (is_absent(outcome) && services_.hooks->fails_open()) {
    on_join_verdict(id, net::verdict::allowed);
  } else if (is_disconnect(outcome)) {
    disconnect_as_told(*refusal_of(outcome));
  } else {
    const auto worded = words_of(outcome);
    on_join_failed({id, fault_of_words(worded)}, &worded);
  }
}

// --- whether it may publish, and what

void connection::ask_hook_to_publish(const std::string& room, waiting_publish&& one) {
  if (is_asked_enough()) {
    fail({net::command_kind::publish, net::command_fault::unavailable, one.request, room});
    return;
  }
  when_checked([room, one = std::move(one)](connection& self) {
    self.ask_hook(hook_kind::publish, {.room = room, .data = one.message->data, .has_data = true},
                  [room, one](connection& of, hook_outcome&& outcome) {
                    of.on_told_of_publish(room, waiting_publish{one}, std::move(outcome));
                    of.on_checked();
                  });
  });
}

void connection::on_told_of_publish(const std::string& room, waiting_publish&& one,
                                    hook_outcome&& outcome) {
  if (const auto* const told = std::get_if<net::hook_result>(&outcome))
    publish_as_told(room, std::move(one), told);
  else if (is_absent(outcome) && services_.hooks->fails_open())
    publish_as_told(room, std::move(one), nullptr);
  else
    fail_as_told({.what = net::command_kind::publish, .request = one.request, .room = room},
                 outcome);
}

/// In the room, if it is still in it; one whose protocol knows no other rooms has nowhere else to publish.
void connection::publish_as_told(const std::string& room, waiting_publish&& one,
                                 const net::hook_result* told) {
  auto& message = *one.message;
  if (told != nullptr && told->data) {
    message.data = told->data->bytes;
    message.type = told->data->type == net::frame_type::text ? cluster::payload_type::text
                                                             : cluster::payload_type::binary;
  }
  auto* const to = one.subscription != 0 ? find(one.subscription) : find(room);
  const bool is_member = to != nullptr && to->is_joined();
  if (const auto why = fault_outside(net::verdict::allowed, room, message.data.size()))
    fail({net::command_kind::publish, *why, one.request, room});
  else if (!is_member && !one.outlives_room)
    fail({net::command_kind::publish, net::command_fault::not_joined, one.request, room});
  else
    publish_followed(is_member ? to : nullptr, room, std::move(one),
                     told == nullptr ? std::nullopt : told->trace);
}

// --- what it asks

bool connection::on_call(const net::call_command& command) {
  if (!has_hook(hook_kind::rpc) || !is_identified_)
    return false;
  if (is_asked_enough()) {
    fail({net::command_kind::call, net::command_fault::unavailable, command.request});
    return true;
  }
  when_checked([method = std::string{command.method}, data = std::string{command.data},
                request = command.request](connection& self) {
    self.ask_hook(hook_kind::rpc, {.method = method, .data = data, .has_data = !data.empty()},
                  [request](connection& of, hook_outcome&& outcome) {
                    of.on_told_of_call(request, std::move(outcome));
                    of.on_checked();
                  });
  });
  pay(command.data.size());
  return true;
}

void connection::on_told_of_call(std::uint32_t request, hook_outcome&& outcome) {
  const auto* const told = std::get_if<net::hook_result>(&outcome);
  if (told == nullptr) {
    fail_as_told({.what = net::command_kind::call, .request = request}, outcome);
    return;
  }
  const net::call_answer answer{.request = request, .data = net::told(told->data)};
  tell([&](std::string& out) { talk_->encode_called(answer, frames(), out); });
}

// --- what it is told

void connection::fail_as_told(net::failed_command failed, const hook_outcome& outcome) {
  if (is_disconnect(outcome)) {
    disconnect_as_told(*refusal_of(outcome));
    return;
  }
  const auto worded = words_of(outcome);
  failed.worded = &worded;
  failed.why = fault_of_words(worded);
  if (failed.what == net::command_kind::identify)
    deny(failed);
  else
    fail(failed);
}

void connection::disconnect_as_told(const net::hook_refusal& why) {
  say_all();
  if (is_opened_)
    session_->close(static_cast<std::uint16_t>(why.code), why.text,
                    net::close_reason::disconnected);
  else
    session_->refuse(net::reject_reason::forbidden);
  rare_->checks.clear(); // nothing more is asked about it
}

} // namespace canang::actors
