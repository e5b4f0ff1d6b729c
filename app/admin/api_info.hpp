#pragma once

#include "actors/server.hpp"
#include "app/admin/api_outcome.hpp"

namespace canang::admin {

/// Tells of the nodes, as their leases do. On the internal loop.
[[nodiscard]] api_outcome tell_info(actors::server& node);

} // namespace canang::admin
