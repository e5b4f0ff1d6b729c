#pragma once

#include "base/name_map.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace canang::actors {

/// What a publish in a room of slow mode is told: how long it has to wait, or which turn it has taken.
struct pace_verdict {
  /// Until when the next publish waits, and a number that no other turn has.
  using turn = std::pair<std::chrono::steady_clock::time_point, std::uint64_t>;

  std::chrono::milliseconds wait{0}; ///< 0: it may
  turn taken{};                      ///< then: to be settled

  [[nodiscard]] bool is_refused() const noexcept { return wait.count() > 0; }
  [[nodiscard]] bool has_turn() const noexcept { return taken.second != 0; }
};

/// Who has published in which room just now, in rooms of the loop that have a slow mode: for each user and room when it
/// may again. Holds for this node: who has connections to several nodes may publish through each of them.
///
/// Takes no memory while no such room is published in; what is over goes with the next claims and ticks. Of too many the
/// one that would end first is forgotten, and may publish early. Owned by the loop's home, on its loop.
class slow_mode {
public:
  using clock = std::chrono::steady_clock;
  using turn = pace_verdict::turn;

  /// Users that wait in all rooms of a loop: 22 MiB with the longest names, 10 MiB with usual ones.
  static constexpr std::size_t max_waiting = 65'536;

  /// `who` wants to publish in the room, and from then on not for `interval`. A publish with the same `key` as its last
  /// one is the same publish, sent again, and has the same turn; an empty key is none.
  [[nodiscard]] pace_verdict claim(std::string_view room, std::string_view who,
                                   std::chrono::milliseconds interval, std::string_view key,
                                   clock::time_point now);

  /// What became of a publish that has taken a turn; once for each. A turn of which nothing was stored is given back
  /// with the last of its publishes; one that is over, or forgotten, is nobody's any more.
  void settle(const turn& taken, bool is_stored);

  /// Forgets what is over. To be called about once a second.
  void expire(clock::time_point now);

  [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }

private:
  struct claimed {
    turn taken;
    std::uint64_t key_hash = 0;   // 0: there was no key
    std::uint32_t unanswered = 1; // publishes that have this turn
    bool is_stored = false;       // what one of them said
  };
  using claim_map = name_map<claimed>;
  using end_map = std::map<turn, claim_map::value_type*>;

  void forget(end_map::iterator one);

  claim_map waiting_; // by room, a line break, and user
  end_map ends_;
  std::uint64_t last_number_ = 0;
};

} // namespace canang::actors
