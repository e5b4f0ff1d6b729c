#pragma once

#include "cluster/moderation/metrics.hpp"
#include "cluster/moderation/source.hpp"

namespace canang::cluster {

/// What the parts of a node share of moderation: what is in force, and what is counted.
struct moderation_state {
  moderation_source source;
  moderation_metrics metrics;
};

} // namespace canang::cluster
