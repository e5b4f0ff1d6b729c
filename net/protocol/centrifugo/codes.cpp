#include "net/protocol/centrifugo/codes.hpp"

namespace canang::net::centrifugo {

const error& error_of(command_fault why) noexcept {
  switch (why) {
  case command_fault::not_joined:
  case command_fault::no_token:
  case command_fault::bad_token:
  case command_fault::not_allowed:
  case command_fault::banned:
  case command_fault::muted:
  case command_fault::locked: return permission_denied;
  case command_fault::joined_before: return already_subscribed;
  case command_fault::too_many_rooms:
  case command_fault::too_large:
  case command_fault::too_much:
  case command_fault::room_full: return limit_exceeded;
  case command_fault::bad_room: return bad_request;
  case command_fault::not_kept: return not_available;
  case command_fault::room_limit: return too_many_requests;
  case command_fault::too_soon: return slow_mode;
  case command_fault::token_expired: return token_expired;
  case command_fault::unrecoverable: return unrecoverable_position;
  case command_fault::unidentified:
  case command_fault::identified_before:
  case command_fault::left:
  case command_fault::unavailable:
  case command_fault::refused: return internal_error;
  }
  return internal_error;
}

/// Codes from 3000 on are the protocol's own, or an operator's. Those of RFC 6455 that tell of a fault on the wire
/// stay what they are.
ending ending_of(close_reason why, const ending& given) noexcept {
  if (given.code >= 3000)
    return given;
  switch (why) {
  case close_reason::drain:
  case close_reason::rebalance: return shutdown;
  case close_reason::slow_consumer:
  case close_reason::over_budget: return slow;
  case close_reason::messages_lost: return insufficient_state;
  case close_reason::rate_limited: return requests_without_end;
  case close_reason::unidentified: return stale;
  case close_reason::not_allowed: return forbidden;
  case close_reason::publish_failed:
  case close_reason::join_failed:
  case close_reason::handler_error: return server_error;
  default: return given;
  }
}

} // namespace canang::net::centrifugo
