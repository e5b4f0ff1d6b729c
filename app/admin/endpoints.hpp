#pragma once

#include "actors/server.hpp"
#include "net/http/router.hpp"

#include <functional>
#include <string>

namespace canang::admin {

/// Adds what the internal port answers: probes and metrics, which are open, and all else behind its guard. Called
/// once, before the port listens; handlers run on the internal loop. `node` outlives `paths`.
void add_internal_endpoints(net::router& paths, actors::server& node);

/// The same, with more metrics behind the node's own: text in Prometheus' format.
void add_internal_endpoints_with(net::router& paths, actors::server& node,
                                 std::function<std::string()> more_metrics);

} // namespace canang::admin
