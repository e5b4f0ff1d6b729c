#pragma once

#include "net/hooks/hook_metrics.hpp"
#include "net/hooks/hook_settings.hpp"

#include <string>

namespace canang::app {

/// How asking and telling the operator's program goes, in Prometheus' text format.
/// @param metrics null: there are no hooks, and no samples.
[[nodiscard]] std::string hook_metrics_text(const net::hook_settings& settings,
                                            const net::hook_metrics* metrics);

} // namespace canang::app
