#pragma once

#include "cluster/redis/metrics.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace canang::cluster {

/// Why a client was not let in, or what it said was not published.
enum class moderated : std::uint8_t { banned, muted, locked, slow_mode, room_full };
inline constexpr std::size_t moderated_count = 5;

/// The labels, as in `canang_moderation_refused_total{reason=...}`.
inline constexpr std::array<std::string_view, moderated_count> moderated_names{
  "banned", "muted", "locked", "slow_mode", "room_full"};

/// What a node counts of moderation; read by a scrape from any thread.
struct moderation_metrics {
  /// Written by all loops; each time somebody is refused something, so seldom enough.
  class counter {
  public:
    void add(std::uint64_t n) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t value() const noexcept {
      return value_.load(std::memory_order_relaxed);
    }

  private:
    std::atomic<std::uint64_t> value_{0};
  };

  std::array<counter, moderated_count> refused;
  counter ended; ///< connections, and memberships of rooms, that a ban has ended

  void note(moderated why) noexcept { refused[static_cast<std::size_t>(why)].add(1); }

  // written on the thread of the desk
  std::array<shard_counter, 3> in_force; ///< by kind of act
  shard_counter memory_bytes;            ///< of all acts
  shard_counter made;                    ///< orders of this node that were carried out
  shard_counter lifted;                  ///< likewise, that ended an act
  shard_counter failed;                  ///< orders that could not be
  shard_counter put_back;                ///< acts that a Redis had lost
  // written by bridges
  counter reads;       ///< answers of Redis about acts, that had something new
  counter bad_entries; ///< acts in Redis that cannot be read, and are left out
};

} // namespace canang::cluster
