#pragma once

#include "actors/server.hpp"
#include "app/admin/api_outcome.hpp"
#include "app/admin/api_request.hpp"

namespace canang::admin {

/// What the server API is asked of a room, and wants done with it, whoever keeps it and whoever is in it. On the internal loop.
void tell_presence(actors::server& node, api_presence&& wanted, api_handler handler);
void tell_presence_stats(actors::server& node, api_presence_stats&& wanted, api_handler handler);
void tell_history(actors::server& node, api_history&& wanted, api_handler handler);
void remove_history(actors::server& node, api_history_remove&& wanted, api_handler handler);

} // namespace canang::admin
