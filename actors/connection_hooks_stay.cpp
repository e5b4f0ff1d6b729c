#include "actors/connection_impl.hpp"
#include "actors/hook_words.hpp"
#include "base/unix_time.hpp"
#include "net/hooks/hook_source.hpp"

#include <utility>
#include <variant>

// Whether a client may stay, which the operator's program is asked when its time is over; and that it has gone.

namespace canang::actors {

namespace {

using net::hook_kind;
using net::hook_outcome;

/// How long a client may stay when nobody can be asked whether it may: as Centrifugo has it.
constexpr std::int64_t unanswered_stay_s = 60;

} // namespace

// --- whether it may stay

void connection::ask_whether_it_may_stay() {
  rare_->backend->is_asking_to_stay = true;
  ask_hook(hook_kind::refresh, {}, [](connection& self, hook_outcome&& outcome) {
    self.on_told_of_stay(std::move(outcome));
  });
}

void connection::on_told_of_stay(hook_outcome&& outcome) {
  rare_->backend->is_asking_to_stay = false;
  auto* const told = std::get_if<net::hook_result>(&outcome);
  if (is_without_answer(outcome)) {
    set_expiry(unix_s() + unanswered_stay_s);
  } else if (is_disconnect(outcome)) {
    disconnect_as_told(*refusal_of(outcome));
  } else if (told == nullptr || told->is_expired
             || (told->expires_at && *told->expires_at <= unix_s())) {
    end_for(net::close_reason::expired);
  } else {
    if (told->says_info) {
      auto changed = who();
      changed.info = std::move(told->info);
      become(std::move(changed));
    }
    if (!told->meta.empty())
      rare_->backend->meta = std::move(told->meta);
    set_expiry(told->expires_at);
  }
}

bool connection::is_kept_by_hook(const subscription& one) const {
  return has_hook(hook_kind::sub_refresh)
         && (services_.settings == nullptr
             || services_.settings->get()->of(name_of(one)).hook_sub_refresh);
}

bool connection::is_kept_by_hook(subscription_id id) {
  const auto* const found = find(id);
  return found != nullptr && is_kept_by_hook(*found);
}

void connection::ask_whether_it_may_stay_in(subscription_id id) {
  const auto* const found = find(id);
  if (found == nullptr)
    return; // it has left
  ask_hook(hook_kind::sub_refresh, {.room = name_of(*found)},
           [id](connection& self, hook_outcome&& outcome) {
             self.on_told_of_stay_in(id, std::move(outcome));
           });
}

void connection::on_told_of_stay_in(subscription_id id, hook_outcome&& outcome) {
  if (find(id) == nullptr)
    return; // it has left
  auto* const told = std::get_if<net::hook_result>(&outcome);
  if (is_without_answer(outcome)) {
    set_expiry(id, unix_s() + unanswered_stay_s);
  } else if (is_disconnect(outcome)) {
    disconnect_as_told(*refusal_of(outcome));
  } else if (told == nullptr || told->is_expired
             || (told->expires_at && *told->expires_at <= unix_s())) {
    expire(id);
  } else {
    if (told->says_info)
      keep_room_info(id, std::move(told->info));
    set_expiry(id, told->expires_at);
  }
}

// --- that it has gone

/// Of one that had not been let in nobody had heard.
void connection::tell_that_it_has_gone(std::uint16_t code, net::close_reason why) const {
  if (!is_identified_ || !has_hook(hook_kind::disconnect))
    return;
  const auto& backend = *rare_->backend;
  const auto client = net::client_name(facts());
  services_.hooks->tell({.what = hook_kind::disconnect,
                         .body = net::encode_disconnect_event(unix_ms(),
                                                              {.client = client,
                                                               .user = who().user,
                                                               .meta = backend.meta,
                                                               .code = code,
                                                               .reason = net::to_string(why)},
                                                              *backend.origin)});
}

} // namespace canang::actors
