#pragma once

#include "actors/server.hpp"
#include "app/admin/api_outcome.hpp"
#include "app/admin/api_request.hpp"

namespace canang::admin {

/// Executes a command of the server API. On the internal loop, where the handler is called: once, maybe within the
/// call.
void execute(actors::server& node, api_command&& command, api_handler handler);

} // namespace canang::admin
