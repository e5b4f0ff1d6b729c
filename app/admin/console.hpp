#pragma once

#include "actors/server.hpp"
#include "net/http/router.hpp"

namespace canang::admin {

/// What an operator may say of the console.
struct console_options {
  bool shows_payloads = false; ///< of publications
};

/// Adds what the console's page asks: `GET /console/api/nodes` and `hour`, and `POST /console/api/...` for commands of the
/// server API and what it tells of rooms and users. For those who have the internal key; see `console_access`. Keeps the last
/// hour of this node. Called once, before the port listens; on the internal loop afterwards. `node` outlives `paths`.
void add_console(net::router& paths, actors::server& node, const console_options& options);

} // namespace canang::admin
