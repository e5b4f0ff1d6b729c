#include "net/auth/settings_authorizer.hpp"

#include <algorithm>
#include <utility>

namespace canang::net {

namespace {

who_may allowed_to(const access_rules& rules, room_action what) noexcept {
  switch (what) {
  case room_action::subscribe: return rules.subscribe;
  case room_action::publish: return rules.publish;
  case room_action::presence: return rules.presence;
  case room_action::history: return rules.history;
  }
  return who_may::nobody;
}

bool is_among(who_may those, const room_question& question) noexcept {
  switch (those) {
  case who_may::anyone: return true;
  case who_may::users: return question.who.is_proved && !question.who.user.empty();
  case who_may::members: return question.is_member;
  case who_may::token:
  case who_may::nobody: return false;
  }
  return false;
}

token_grant::right right_to(room_action what) noexcept {
  switch (what) {
  case room_action::publish: return token_grant::publish;
  case room_action::presence: return token_grant::presence;
  case room_action::history: return token_grant::history;
  case room_action::subscribe: break;
  }
  return token_grant::subscribe;
}

bool is_granted(const room_question& question) {
  const auto right = right_to(question.what);
  const auto& grants = question.who.grants;
  return std::any_of(grants.begin(), grants.end(),
                     [&](const token_grant& one) { return one.covers(question.room, right); });
}

} // namespace

void settings_authorizer::identify(credentials&& shown, identity_handler decided) {
  if (shown.token.empty())
    decided(proof::good, {.who = {.user = std::move(shown.user)}});
  else
    decided(proof::bad, {});
}

void settings_authorizer::decide(const room_question& question, handler decided) {
  decided(verdict_on(question));
}

verdict settings_authorizer::verdict_on(const room_question& question) const {
  const auto rules = settings_.of(question.room);
  const auto those = allowed_to(rules, question.what);
  if (those == who_may::nobody)
    return verdict::refused;
  const bool is_asked_about = rules.asks_publish && question.what == room_action::publish;
  if (is_granted(question))
    return is_asked_about ? verdict::ask : verdict::allowed;
  using entitlement = room_name_rules::entitlement;
  const auto by_name = question.is_member ? entitlement::none // it was looked at when it came in
                                          : names_.of(question.room, question.who, rules.has_users);
  if (by_name == entitlement::barred)
    return verdict::refused;
  if (is_asked_about)
    return verdict::ask;
  if (question.what == room_action::subscribe) {
    if (by_name == entitlement::owns)
      return verdict::allowed;
    if (rules.asks_subscribe)
      return verdict::ask;
  }
  return is_among(those, question) ? verdict::allowed : verdict::refused;
}

void settings_authorizer::check_pass(const pass_question& /*question*/, pass_handler decided) {
  decided(proof::bad, {});
}

} // namespace canang::net
