#pragma once

#include "actors/server.hpp"
#include "app/admin/api_outcome.hpp"
#include "app/admin/api_request.hpp"

namespace canang::admin {

/// Have done what the server API is asked to do with users: the handler is called when all nodes have done it, or it is
/// known which have not. On the internal loop.
void disconnect(actors::server& node, api_disconnect&& wanted, const api_handler& handler);
void subscribe(actors::server& node, api_subscribe&& wanted, const api_handler& handler);
void unsubscribe(actors::server& node, api_unsubscribe&& wanted, const api_handler& handler);
void refresh(actors::server& node, api_refresh&& wanted, const api_handler& handler);

/// The same, but only has their connections counted.
void count_connections(actors::server& node, api_target&& whom, const api_handler& handler);

/// What the answer says of nodes.
[[nodiscard]] api_outcome result_of(const cluster::control_result& result);

} // namespace canang::admin
