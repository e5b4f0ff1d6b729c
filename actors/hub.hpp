#pragma once

#include "actors/fanout.hpp"
#include "actors/pinned.hpp"

#include <cstdint>

namespace canang::actors {

/// Who is where on one loop: takes the messages of the rooms for the loop's `fanout`, and closes the
/// loop's connections when the node drains. Pinned, one a loop; vital to the node.
class hub final : public pinned {
public:
  /// `members` and `context` must outlive the hub.
  hub(caf::actor_config& config, fanout& members, net::loop_context& context);

  const char* name() const override { return "hub"; }

private:
  caf::behavior make_behavior() override;
  void on_exit() override;

  void begin_drain(const drain& order);
  void pace_drain(std::chrono::steady_clock::time_point now);

  fanout& members_;
  net::loop_context& context_;
  bool is_draining_ = false;
  std::size_t closes_a_tick_ = 0;
  std::chrono::steady_clock::time_point drain_deadline_{};
};

} // namespace canang::actors
