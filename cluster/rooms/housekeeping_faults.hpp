#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace canang::cluster {

struct broker_metrics;

/// What a node does on Redis beside publishing: nobody waits for its answer, so a refusal would go
/// unnoticed.
enum class housekeeping : std::uint8_t {
  lease,
  presence,
  leave,
  reap,
  sweep,
  positions,
  history,
  release,
};

/// Why Redis refuses, by the first word of its error.
enum class refusal : std::uint8_t {
  memory,     ///< OOM
  replicas,   ///< NOREPLICAS
  disk,       ///< MISCONF
  busy,       ///< BUSY
  not_master, ///< READONLY, LOADING, MASTERDOWN, CLUSTERDOWN
  acl,        ///< NOPERM, NOAUTH
  wrong_type, ///< WRONGTYPE
  other,
};

inline constexpr std::array<std::string_view, 8> housekeeping_names{
  "lease", "presence", "leave", "reap", "sweep", "positions", "history", "release"};
inline constexpr std::array<std::string_view, 8> refusal_names{
  "memory", "replicas", "disk", "busy", "not_master", "acl", "wrong_type", "other"};

[[nodiscard]] refusal refusal_of(std::string_view error) noexcept;

/// Counts what Redis refuses of a shard's housekeeping, by script and reason, and says so in one line: at
/// once the first time, then once a minute as long as it goes on. Owned by a broker, on its thread.
class housekeeping_faults {
public:
  using clock = std::chrono::steady_clock;

  explicit housekeeping_faults(broker_metrics& metrics) : metrics_(metrics) {}

  void note(housekeeping what, std::string_view error);

  /// The line, if it is time for one; else empty. To be asked every 100 ms.
  [[nodiscard]] std::string line(clock::time_point now);

private:
  using counts =
    std::array<std::array<std::uint64_t, refusal_names.size()>, housekeeping_names.size()>;

  broker_metrics& metrics_;
  counts unsaid_{};
  std::string last_error_; // of those that are not said yet; empty: there is none
  clock::time_point said_at_{};
  bool has_said_ = false;
};

} // namespace canang::cluster
