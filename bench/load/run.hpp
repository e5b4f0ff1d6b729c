#pragma once

#include "bench/load/options.hpp"
#include "bench/load/results.hpp"

namespace canang::load {

/// Carries out a run from the first connection to the last close and tells its progress on stderr.
/// SIGINT and SIGTERM end the traffic early; what was sent until then is still checked. Throws
/// std::invalid_argument when the limit of open files is too low, std::runtime_error when an
/// address can't be resolved.
results carry_out(const options& o);

} // namespace canang::load
