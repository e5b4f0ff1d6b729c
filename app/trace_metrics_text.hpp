#pragma once

#include "net/tracing/trace_metrics.hpp"

#include <string>

namespace canang::app {

/// What became of spans, in Prometheus' text format.
/// @param metrics null: nothing is traced, and there are no samples.
[[nodiscard]] std::string trace_metrics_text(const net::trace_metrics* metrics);

} // namespace canang::app
