#pragma once

#include "actors/server.hpp"
#include "net/http/types.hpp"

namespace canang::admin {

/// `/healthz`: whether all loops turn.
[[nodiscard]] net::page_response health_page(const actors::server& node);

/// `/readyz`: whether the node is to have traffic; and when it is, what is wrong all the same.
[[nodiscard]] net::page_response readiness_page(const actors::server& node);

/// `/metrics`, in Prometheus' text format.
[[nodiscard]] net::page_response metrics_page(actors::server& node);

} // namespace canang::admin
