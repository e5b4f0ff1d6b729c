#pragma once

#include "actors/fanout.hpp"
#include "actors/hub_bans.hpp"
#include "actors/node/drain_pace.hpp"
#include "actors/runtime/pinned.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <utility>

namespace canang::actors {

/// Who is where on one loop: takes the messages of the rooms for the loop's `fanout`, does what commands want done to
/// connections, and closes the loop's connections when the node drains. Pinned, one a loop; vital to the node.
class hub final : public pinned {
public:
  /// `members` and `context` must outlive the hub.
  hub(caf::actor_config& config, fanout& members, net::loop_context& context);

  const char* name() const override { return "hub"; }

private:
  caf::behavior make_behavior() override;
  void on_exit() override;

  void on_tick(std::chrono::steady_clock::time_point now);
  void on_close_user(const close_user& order);
  void on_subscribe_user(const subscribe_user& order);
  void on_refresh(const refresh_connections& order);
  void end_some();
  void invite_some();
  void refresh_some();
  void begin_drain(const drain& order);
  void begin_shed(const shed& order);
  void pace_drain(std::chrono::steady_clock::time_point now);
  void close_due(std::chrono::steady_clock::time_point now);

  fanout& members_;
  net::loop_context& context_;
  /// A connection that somebody had disconnected, and is yet to be closed.
  struct condemned {
    connection_id who;
    std::shared_ptr<const cluster::disconnect_user> what;
  };

  /// A connection that is yet to be made a member of a room.
  struct invited {
    connection_id who;
    std::shared_ptr<const cluster::add_to_room> what;
    subscribe_tally_ptr tally;
  };

  hub_bans bans_;
  std::deque<invited> invited_;
  std::deque<std::pair<connection_id, net::expiry>> refreshed_; // that are yet to be told
  std::deque<condemned> condemned_; // none is in the index of users any more
  std::optional<drain_pace> pace_;  // once it drains
  std::optional<drain_pace> shed_;  // of this second
  std::chrono::steady_clock::time_point drain_deadline_{};
};

} // namespace canang::actors
