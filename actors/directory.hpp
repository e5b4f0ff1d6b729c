#pragma once

#include "actors/pinned.hpp"
#include "actors/room.hpp"
#include "cluster/name_map.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <unordered_map>

namespace canang::actors {

/// What a directory is made with.
struct directory_options {
  /// How long a room without members is kept, in case someone comes back.
  std::chrono::milliseconds room_linger{1000};
};

/// The rooms that live on one loop: finds or starts a room for a join, and reaps the empty ones.
///
/// Every join passes through here, so a room that reports to be empty after the last join that was
/// handed to it can be stopped without losing one that is on its way. Pinned, one a loop.
class directory final : public pinned {
public:
  /// `on_tick` is called about once a second, for the broker's housekeeping.
  directory(caf::actor_config& config, const room_services& services,
            const directory_options& options, std::function<void()> on_tick);

  const char* name() const override { return "directory"; }

private:
  using clock = std::chrono::steady_clock;

  struct known_room {
    caf::actor handle;
    std::uint64_t joins_handed = 0;
  };

  caf::behavior make_behavior() override;
  void on_exit() override;

  void on_join(join_room& request);
  void on_room_empty(const room_empty& report);
  void on_room_down(const caf::down_msg& death);
  void on_tick(const tick& now);
  void reap(clock::time_point now);
  known_room& room_of(const std::string& name);

  const room_services& services_;
  directory_options options_;
  std::function<void()> housekeeping_;
  cluster::name_map<known_room> rooms_;
  std::unordered_map<room_id, std::string> names_;
  std::unordered_map<room_id, clock::time_point> empty_; // when they became so
  clock::time_point last_housekeeping_{};
};

} // namespace canang::actors
