#pragma once

#include "actors/node/shards.hpp"
#include "cluster/broker.hpp"
#include "net/http/types.hpp"

#include <string>
#include <string_view>

namespace canang::admin {

/// What the internal port tells of the cluster. All of these from any thread.

/// `/rooms/NAME`.
[[nodiscard]] net::page_response room_page(std::string_view room,
                                           const cluster::room_report& report);

/// `/rooms/NAME/presence`.
[[nodiscard]] net::page_response presence_page(std::string_view room,
                                               const cluster::room_report& report);

/// `/nodes`; `own` is this node's entry, shown when nothing else is known.
[[nodiscard]] net::page_response nodes_page(std::string_view node, const std::string& own,
                                            actors::shard_list shards);

} // namespace canang::admin
