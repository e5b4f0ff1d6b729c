#pragma once

#include "net/session.hpp"
#include "net/timing_wheel.hpp"

#include <chrono>
#include <random>

namespace canang::actors {

/// When idle connections are pinged and silent ones given up.
struct liveness_options {
  std::chrono::milliseconds ping_interval{25'000};
  std::chrono::milliseconds pong_timeout{8'000};
};

class liveness;

/// A connection's place on the heartbeat's wheel. Part of the connection; leaves the wheel when it is
/// destroyed or cancelled.
class beat final : public net::timing_wheel::entry {
public:
  beat() = default;

private:
  friend class liveness;
  void on_deadline(net::timing_wheel::clock::time_point now) override;

  bool awaits_pong_ = false; // these two first: they fit behind the entry's last member
  bool is_first_look_ = true;
  liveness* owner_ = nullptr;
  net::session* session_ = nullptr;
  net::timing_wheel::clock::time_point pinged_at_{};
};

/// What the heartbeat of a loop knows: when each connection has to be looked at next.
///
/// A connection is looked at when it would have been silent for the ping interval; if it was, it is
/// pinged, and has to be heard within the pong timeout. Anything it sends counts. The first look comes
/// at a random moment within the interval, and pings a connection that has been silent since it came,
/// so that connections that came together (after a rollout, say) are not pinged together ever after.
/// One that is not even open after a whole interval has lost its join, and is given up.
class liveness {
public:
  using clock = net::timing_wheel::clock;

  liveness(const liveness_options& options, clock::time_point now, std::uint32_t seed);

  /// Begins to watch `session`, which must stay alive until `item` is cancelled or destroyed.
  void watch(beat& item, net::session& session, clock::time_point now);

  /// Looks at all connections whose time has come.
  void advance(clock::time_point now) { wheel_.advance(now); }

private:
  friend class beat;
  void look_at(beat& item, clock::time_point now);

  liveness_options options_;
  net::timing_wheel wheel_;
  std::mt19937 random_; // its first numbers are spread well, whatever the seed
};

} // namespace canang::actors
