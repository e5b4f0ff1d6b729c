#pragma once

#include "actors/server.hpp"
#include "app/admin/api_outcome.hpp"
#include "app/admin/api_request.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace canang::admin {

/// Rooms that have members, and how many.
using room_counts = std::vector<std::pair<std::string, std::uint64_t>>;

/// Finds the rooms of the whole cluster that have members, by name with `*` and `?`; `result_of` makes the result of
/// them. On the internal loop, where the handler is called: once, maybe within the call.
void tell_rooms(actors::server& node, std::string pattern,
                std::string (*result_of)(const room_counts&), api_handler handler);

/// Tells which rooms have members, in the whole cluster. On the internal loop.
void tell_channels(actors::server& node, api_channels&& wanted, api_handler handler);

} // namespace canang::admin
