#pragma once

#include "actors/messages.hpp"

namespace canang::actors {

/// What the broker is asked for, for one that joins.
[[nodiscard]] cluster::recover_request wish_of(const join_room& request);

/// Leaves of what the broker has what the member is to have first.
/// @returns where it stands before that.
[[nodiscard]] cluster::position cut_to_wish(const join_room& request, cluster::history_page& page);

} // namespace canang::actors
