#pragma once

#include "cluster/control/metrics.hpp"

#include <string>

namespace canang::admin {

/// What a node counts of control commands, in Prometheus' text format. From any thread.
[[nodiscard]] std::string control_metrics(const cluster::control_metrics& metrics);

} // namespace canang::admin
