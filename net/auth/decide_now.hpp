#pragma once

#include "net/auth/authorizer.hpp"

namespace canang::net {

/// Whether `of` allows it. One that does not decide before its call ends has not allowed it.
[[nodiscard]] bool decide_now(authorizer& of, const room_question& question);

} // namespace canang::net
