#pragma once

#include "actors/room.hpp"
#include "actors/runtime/pinned.hpp"
#include "base/name_map.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace canang::actors {

struct pace_verdict;

/// What a directory is made with.
struct directory_options {
  /// How long a room without members is kept, in case someone comes back.
  std::chrono::milliseconds room_linger{1000};
};

/// The rooms that live on one loop: finds or starts a room for a join, reaps the empty ones, and sees that
/// there are not too many.
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
    clock::time_point empty_since{}; // the epoch: as far as we know it is not
  };
  using room_map = name_map<known_room>;

  caf::behavior make_behavior() override;
  void on_exit() override;

  void on_join(join_room& request);
  void on_leave(leave_room& request);
  void on_publish(publish_to_room& request);
  void on_client_publish(client_publish& request);
  [[nodiscard]] pace_verdict take_turn(const client_publish& request, clock::time_point now);
  void tell_too_soon(const client_publish& request, std::chrono::milliseconds wait);
  [[nodiscard]] bool take_outside_rate(const client_publish& request, clock::time_point now);
  [[nodiscard]] cluster::answer_once<cluster::publish_outcome> answer_to(client_publish& request,
                                                                         const pace_verdict& pace);
  void forget_outside_rates(clock::time_point now);
  void on_room_empty(const room_empty& report);
  void on_room_down(const caf::down_msg& death);
  void on_expel(expel_user& order);
  void on_give_way(const give_way& order);
  void on_tick(const tick& now);
  void reap(clock::time_point now);

  [[nodiscard]] known_room* room_of(const std::string& name, bool is_entering);
  known_room& start(const std::string& name);
  void stop_longest_empty();
  void forget(room_map::value_type& room);
  void refuse(const join_room& request);
  void note_refusal(std::string_view what);
  [[nodiscard]] bool is_far_behind() const;

  void keep_within_limit();
  [[nodiscard]] bool make_place();
  void forget_idle(std::uint64_t most);
  void count_rooms();
  void shed_some();

  const room_services& services_;
  directory_options options_;
  std::function<void()> housekeeping_;
  room_map rooms_;
  std::unordered_map<room_id, room_map::value_type*> by_id_;
  std::set<std::pair<clock::time_point, room_id>> empty_; // since when; the longest first
  name_map<net::publish_allowance> outside_;              // of rooms without an actor here
  clock::time_point last_housekeeping_{};
  std::uint64_t to_shed_bytes_ = 0;
};

} // namespace canang::actors
