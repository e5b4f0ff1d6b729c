#pragma once

#include "actors/server.hpp"
#include "app/admin/api_outcome.hpp"
#include "app/admin/api_request.hpp"

namespace canang::admin {

/// Tells which rooms have members, in the whole cluster. On the internal loop.
void tell_channels(actors::server& node, api_channels&& wanted, api_handler handler);

} // namespace canang::admin
