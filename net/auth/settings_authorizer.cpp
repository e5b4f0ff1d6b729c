#include "net/auth/settings_authorizer.hpp"

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
  case who_may::users: return question.who.is_proved;
  case who_may::members: return question.is_member;
  case who_may::token:
  case who_may::nobody: return false;
  }
  return false;
}

} // namespace

void settings_authorizer::decide(const room_question& question, handler decided) {
  const auto those = allowed_to(settings_.of(question.room), question.what);
  decided(is_among(those, question) ? verdict::allowed : verdict::refused);
}

} // namespace canang::net
