#pragma once

#include "actors/slow_mode.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

/// What a directory tells itself about publishes from outside, in rooms of slow mode.

namespace canang::actors {

/// What became of a publish that has taken a turn: the answer may come on another loop, the turns are of this one.
struct turn_settled {
  slow_mode::turn taken{};
  bool is_stored = false;
};

} // namespace canang::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::turn_settled)
