#pragma once

#include "actors/server.hpp"
#include "net/http/router.hpp"

namespace canang::admin {

/// Adds the server API to the internal port: `POST /api/METHOD` for all `api_methods` and `batch`, and its description
/// as `GET /api/openapi.json`, for those who have one of its keys. JSON as in Centrifugo's HTTP API; see
/// docs/server-api.md. `node` outlives `paths`.
void add_api(net::router& paths, actors::server& node);

} // namespace canang::admin
