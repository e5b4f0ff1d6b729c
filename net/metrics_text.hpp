#pragma once

#include "net/metrics.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace canang::net {

/// Memory that is counted, and for whom.
struct owned_memory {
  std::string_view owner;
  std::uint64_t bytes = 0;
};

/// Figures of the whole process, next to those that the loops of the public port count.
struct process_figures {
  const loop_metrics* internal = nullptr; ///< of the internal port's loop
  std::int64_t start_time_seconds = 0;    ///< Unix time
  std::uint64_t actors = 0;               ///< actors alive
  std::uint64_t actor_failures = 0;       ///< actors that an exception ended
  std::uint64_t open_descriptors = 0;
  std::uint64_t resident_bytes = 0;
  double cpu_seconds = 0;
  bool ready = false;
  bool draining = false;
  double headroom = 1;
  std::uint64_t connections_limit = 0;
  std::uint64_t memory_limit_bytes = 0;
  std::uint64_t memory_used_bytes = 0;
  std::uint64_t outbox_budget_bytes = 0;
  std::uint64_t rooms_limit = 0;
  std::uint64_t history_budget_bytes = 0;
  std::uint64_t reloads_applied = 0; ///< of the configuration, while it ran
  std::uint64_t reloads_refused = 0;
  std::int64_t last_good_reload_seconds = 0; ///< Unix time
  std::vector<owned_memory> memory;
  std::string_view version;
};

/// Resident memory as a file like `/proc/self/statm` tells it; 0 when there is none.
[[nodiscard]] std::uint64_t read_resident_bytes(const std::string& statm = "/proc/self/statm");

/// Reads the figures that the kernel keeps of this process.
void read_process_figures(process_figures& figures);

/// All metrics in Prometheus' text format, version 0.0.4; the loops' counts are summed. From any
/// thread.
[[nodiscard]] std::string metrics_text(std::span<const loop_metrics* const> loops,
                                       const process_figures& process);

/// The content type of `metrics_text`.
inline constexpr std::string_view metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

} // namespace canang::net
