#include "actors/connection_impl.hpp"

#include <utility>

// Who a client is: what it says, what its tokens say, and what they say later.

namespace canang::actors {

namespace {

/// Refreshes that wait: more than a client needs that has as many rooms as it may.
constexpr std::size_t max_waiting_checks = 1024;

net::command_fault fault_told(net::proof is) noexcept {
  switch (is) {
  case net::proof::missing: return net::command_fault::no_token;
  case net::proof::bad: return net::command_fault::bad_token;
  case net::proof::expired: return net::command_fault::token_expired;
  case net::proof::good:
  case net::proof::unavailable: break;
  }
  return net::command_fault::unavailable;
}

} // namespace

void connection::on_command(net::identify_command&& command) {
  pay_for_command();
  if (is_identified_ || is_identifying_) {
    fail({.what = net::command_kind::identify, .why = net::command_fault::identified_before});
    return;
  }
  is_identifying_ = true;
  if (rare_)
    rare_->identifies.reset(); // it has said it
  if (is_for_hook(command.shown))
    ask_who_it_is(command);
  else if (services_.authorizer != nullptr)
    services_.authorizer->identify(
      std::move(command.shown),
      continue_with([](connection& self, net::proof is, net::client_admission&& as) {
        self.on_proof(is, std::move(as));
      }));
  else if (command.shown.token.empty())
    on_proof(net::proof::good, {.who = {.user = std::move(command.shown.user)}});
  else
    on_proof(net::proof::bad, {});
  settle_reading();
}

/// What is told now goes in one piece, with what the rest of the client's message brings.
void connection::on_proof(net::proof is, net::client_admission&& as) {
  if (!session_)
    return;
  is_identifying_ = false;
  if (is != net::proof::good) {
    deny(is);
    return;
  }
  if (is_shut_out(as.who.user))
    return;
  is_identified_ = true;
  if (rare_)
    rare_->identify_by = {};
  services_.members.note_user(id(), as.who.user);
  become(std::move(as.who));
  if (as.expires_at)
    set_expiry(as.expires_at);
  if (!as.rooms.empty())
    ensure_rare().chosen = std::move(as.rooms);
  if (session_->expects_pings())
    services_.beats.watch(beat_, *session_, services_.context.now());
  say_together([this] { talk_->on_admitted(*this); });
  if (rare_ && rare_->backend && !rare_->enters)
    rare_->backend->told.reset();
  take_waiting_joins();
  drop_rare_if_empty();
  settle_reading();
}

void connection::become(net::identity&& who) {
  if (!who.user.empty() || who.is_proved)
    ensure_rare().who = std::make_unique<const net::identity>(std::move(who));
  else if (rare_)
    rare_->who.reset();
}

void connection::deny(net::proof is) {
  deny(net::failed_command{.what = net::command_kind::identify, .why = fault_told(is)});
}

void connection::deny(const net::failed_command& failed) {
  if (rare_)
    rare_->early_joins.clear();
  drop_rare_if_empty();
  fail(failed);
  if (session_ && session_->is_open())
    await_identity(); // it may try again
  settle_reading();
}

/// What its URL asked for waited until it was known who it is.
void connection::take_waiting_joins() {
  if (!rare_)
    return;
  rare_->chosen.clear();
  for (auto& one : std::exchange(rare_->early_joins, {}))
    on_command(std::move(one));
}

const net::identity& connection::who() const noexcept {
  static const net::identity nobody{};
  return rare_ && rare_->who ? *rare_->who : nobody;
}

// --- tokens that come later: one at a time, so that nobody has more than one checked at once

/// The client is not read while there are any, so they are what one message of it brought.
void connection::when_checked(std::function<void(connection&)> check) {
  ensure_rare().checks.push_back(std::move(check));
  check_next();
  settle_reading();
}

/// However many are told within the call: each leaves the next one to the loop here.
void connection::check_next() {
  if (!rare_ || rare_->is_choosing_check)
    return;
  rare_->is_choosing_check = true;
  while (rare_ && !rare_->checks.empty() && !rare_->is_checking) {
    const auto check = std::move(rare_->checks.front());
    rare_->checks.pop_front();
    rare_->is_checking = true;
    check(*this);
  }
  if (!rare_)
    return; // it has failed
  rare_->is_choosing_check = false;
  drop_rare_if_empty();
}

void connection::on_checked() {
  if (!rare_)
    return;
  rare_->is_checking = false;
  check_next();
  settle_reading();
}

void connection::check_token_of_room(subscription& wanted) {
  when_checked([id = wanted.id](connection& self) {
    auto* const asked = self.find(id);
    if (asked == nullptr || asked->stands != subscription::state::asking) {
      self.on_checked(); // it has left
      return;
    }
    const auto client = net::client_name(self.facts());
    self.services_.authorizer->check_pass(
      {.who = self.who(), .client = client, .room = asked->wish->room, .token = asked->wish->token},
      self.continue_with([id](connection& of, net::proof is, net::room_pass&& pass) {
        of.on_pass(id, is, std::move(pass));
        of.on_checked();
      }));
  });
}

/// Who has a token of the room need not ask whether it may subscribe.
void connection::on_pass(subscription_id id, net::proof is, net::room_pass&& pass) {
  auto* const asked = find(id);
  if (asked == nullptr || asked->stands != subscription::state::asking)
    return; // it has left
  if (is != net::proof::good) {
    on_join_failed({id, fault_told(is)});
    return;
  }
  set_expiry(id, pass.expires_at);
  asked->wish->room_info = std::move(pass.info);
  on_join_verdict(id, net::verdict::allowed);
}

// --- what tokens say of it to others

/// Of a membership; nothing: there is none, or it has ended.
void connection::keep_room_info(subscription_id id, std::string&& info) {
  if (info.empty() && !(rare_ && rare_->room_infos))
    return;
  auto& infos = ensure_rare().room_infos;
  if (!infos)
    infos = std::make_unique<std::map<subscription_id, std::string>>();
  if (info.empty())
    infos->erase(id);
  else
    infos->insert_or_assign(id, std::move(info));
  if (infos->empty())
    infos.reset();
  drop_rare_if_empty();
}

/// The author of what it publishes, in a room that it is in or not.
std::unique_ptr<const cluster::publication_notes>
connection::authorship(const subscription* in) const {
  cluster::publication_author author{
    .user = who().user, .client = net::client_name(facts()), .info = who().info};
  if (in != nullptr && rare_ && rare_->room_infos)
    if (const auto found = rare_->room_infos->find(in->id); found != rare_->room_infos->end())
      author.room_info = found->second;
  return std::make_unique<const cluster::publication_notes>(
    cluster::publication_notes{.author = std::move(author)});
}

// --- refreshes

void connection::on_refresh(const net::refresh_command& command) {
  pay_for_command();
  if (!is_identified_ || services_.authorizer == nullptr) {
    fail({net::command_kind::refresh, net::command_fault::unidentified, command.request});
    return;
  }
  if (rare_ && rare_->checks.size() >= max_waiting_checks) {
    fail({net::command_kind::refresh, net::command_fault::unavailable, command.request});
    return;
  }
  when_checked([room = command.room ? std::optional{std::string{*command.room}} : std::nullopt,
                token = std::string{command.token}, request = command.request](connection& self) {
    if (room)
      self.refresh_room(*room, token, request);
    else
      self.refresh_itself(token, request);
  });
}

void connection::refresh_itself(const std::string& token, std::uint32_t request) {
  services_.authorizer->identify(
    {.user = who().user, .token = token, .is_known = true},
    continue_with([request](connection& self, net::proof is, net::client_admission&& as) {
      self.on_refreshed(request, is, std::move(as));
      self.on_checked();
    }));
}

/// What the new token says of the client counts from now on, also for what it publishes in the rooms that it is in. The
/// rooms that the server puts it in are those of its first token.
void connection::on_refreshed(std::uint32_t request, net::proof is, net::client_admission&& as) {
  if (!session_)
    return;
  if (is == net::proof::unavailable) {
    fail({net::command_kind::refresh, net::command_fault::unavailable, request});
  } else if (is == net::proof::expired) {
    end_for(net::close_reason::expired);
  } else if (is != net::proof::good || as.who.user != who().user) {
    end_for(net::close_reason::bad_token);
  } else {
    become(std::move(as.who));
    subscriptions_.for_each(
      [](subscription& one) { one.may_publish = subscription::permission::unknown; });
    set_expiry(as.expires_at);
    tell_refreshed(request, false, as.expires_at);
  }
}

void connection::refresh_room(const std::string& room, const std::string& token,
                              std::uint32_t request) {
  const auto* const found = find(room);
  if (found == nullptr || !found->is_joined()) {
    fail({net::command_kind::refresh, net::command_fault::not_joined, request, room});
    on_checked();
    return;
  }
  const auto client = net::client_name(facts());
  services_.authorizer->check_pass(
    {.who = who(), .client = client, .room = room, .token = token},
    continue_with(
      [id = found->id, request](connection& self, net::proof is, net::room_pass&& pass) {
        self.on_room_refreshed(id, request, is, std::move(pass));
        self.on_checked();
      }));
}

void connection::on_room_refreshed(subscription_id id, std::uint32_t request, net::proof is,
                                   net::room_pass&& pass) {
  if (!session_)
    return;
  const auto* const found = find(id);
  if (is == net::proof::bad) {
    end_for(net::close_reason::bad_token);
  } else if (is == net::proof::expired && found != nullptr) {
    expire(id); // that way it gets another one
    fail({net::command_kind::refresh, net::command_fault::token_expired, request});
  } else if (is != net::proof::good || found == nullptr) {
    fail({net::command_kind::refresh,
          found == nullptr ? net::command_fault::not_joined : fault_told(is), request});
  } else {
    set_expiry(id, pass.expires_at);
    keep_room_info(id, std::move(pass.info));
    tell_refreshed(request, true, pass.expires_at);
  }
}

} // namespace canang::actors
