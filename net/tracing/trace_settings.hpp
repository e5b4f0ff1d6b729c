#pragma once

#include "net/hooks/hook_settings.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace canang::net {

/// What the operator says of traces. Not to be shown: there are secrets in it.
struct trace_settings {
  std::optional<hook_endpoint> collector{};                   ///< none: nothing is traced
  std::vector<std::pair<std::string, std::string>> headers{}; ///< of each request
  std::string ca_file{};                                      ///< empty: the system's authorities
  std::chrono::milliseconds timeout{10'000};                  ///< of a request
  double sample = 0; ///< share of what comes without a trace that is followed; 0 to 1
  std::string service{"canang"};
  std::chrono::milliseconds gathering{1000}; ///< spans that end in that time go in one request
  std::chrono::milliseconds pause{1000}; ///< until a request that has failed is tried again, first
};

} // namespace canang::net
