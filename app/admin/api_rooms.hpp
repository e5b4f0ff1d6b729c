#pragma once

#include "actors/server.hpp"
#include "app/admin/api_outcome.hpp"
#include "app/admin/api_request.hpp"
#include "cluster/broker.hpp"

#include <functional>
#include <string>

namespace canang::admin {

/// Asks how a room is in the whole cluster; `result_of` makes the outcome of it. On the internal loop,
/// where the handler is called: once, maybe within the call.
void ask_room(actors::server& node, const std::string& room, api_handler handler,
              std::function<api_outcome(const cluster::room_report&)> result_of);

/// What the server API is asked of a room, and wants done with it, whoever keeps it and whoever is in it. On the internal loop.
void tell_presence(actors::server& node, api_presence&& wanted, api_handler handler);
void tell_presence_stats(actors::server& node, api_presence_stats&& wanted, api_handler handler);
void tell_history(actors::server& node, api_history&& wanted, api_handler handler);
void remove_history(actors::server& node, api_history_remove&& wanted, api_handler handler);

} // namespace canang::admin
