#pragma once

#include "net/metrics.hpp"

namespace canang::net {

/// What became of spans. Read from any thread.
struct trace_metrics {
  counter exported_total; ///< the collector has taken them
  counter rejected_total; ///< it did not want them
  shared_counter dropped_total;
  shared_counter waiting; ///< to be sent, or to be answered
};

} // namespace canang::net
