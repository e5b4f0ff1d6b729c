#pragma once

#include "actors/server.hpp"
#include "app/admin/api_outcome.hpp"
#include "app/admin/api_request.hpp"

#include <string>

namespace canang::admin {

/// Has an order of a moderator carried out on all nodes, and logs it in one line: who, where, how long, why, and what
/// came of it. On the internal loop, where the handler is called.
void moderate(actors::server& node, api_moderation&& wanted, const api_handler& handler);

/// Tells which acts are in force.
void tell_acts(actors::server& node, api_acts&& wanted, const api_handler& handler);

/// What the log says of an order; without its end, and safe whatever the names and the reason are.
[[nodiscard]] std::string log_line_of(const cluster::moderation_wish& wish);

/// A page of them in JSON. `now` and `unix_now` are the same moment, the latter in seconds.
[[nodiscard]] std::string to_json(const cluster::act_list& list,
                                  cluster::moderation_act::clock::time_point now,
                                  std::int64_t unix_now);

} // namespace canang::admin
