#pragma once

#include "actors/room.hpp"
#include "net/timing_wheel.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

/// Private to the files of the room.

namespace canang::actors {

/// What a room holds back, in order, and why. On the wheel of the room's loop while the room's rate is the
/// reason. Exists only meanwhile.
class room::gate final : public net::timing_wheel::entry {
public:
  gate(caf::actor_addr owner, std::size_t loops) : lags(loops), owner_(std::move(owner)) {}

  [[nodiscard]] bool is_empty() const noexcept {
    return waiting.empty() && outcomes.empty() && lag_count == 0;
  }

  std::deque<publish> waiting; // not handed to the broker yet
  std::size_t waiting_bytes = 0;
  std::deque<cluster::publish_outcome> outcomes; // of the oldest unanswered publishes
  std::vector<bool> lags;                        // by loop: its hub has yet to come to our mark
  std::size_t lag_count = 0;                     // of these

private:
  void on_deadline(net::timing_wheel::clock::time_point now) override;

  caf::actor_addr owner_;
};

} // namespace canang::actors
