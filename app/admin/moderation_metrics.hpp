#pragma once

#include "cluster/moderation/state.hpp"

#include <string>

namespace canang::admin {

/// What a node counts of moderation, in Prometheus' text format. From any thread.
[[nodiscard]] std::string moderation_metrics(const cluster::moderation_state& state);

} // namespace canang::admin
