#pragma once

#include "actors/server.hpp"
#include "app/admin/api_outcome.hpp"
#include "app/admin/api_request.hpp"

namespace canang::admin {

/// Publish, as the server API is asked to: the handler is called when everything is stored, or is not. On the internal
/// loop.
void publish(actors::server& node, api_publish&& wanted, api_handler handler);
void broadcast(actors::server& node, api_broadcast&& wanted, api_handler handler);

} // namespace canang::admin
