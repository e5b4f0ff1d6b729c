#pragma once

#include "actors/cast.hpp"
#include "actors/cluster_options.hpp"
#include "actors/messages.hpp"
#include "actors/moderation_messages.hpp"
#include "actors/node/announcement.hpp"
#include "actors/runtime/pinned.hpp"
#include "cluster/rooms/redis_broker.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace canang::actors {

/// What a bridge is made with. The metrics outlive it.
struct bridge_parts {
  cluster::redis_target target;
  cluster::redis_options links;
  cluster::redis_broker_options rooms;
  cluster::node_identity node;
  const cluster::room_settings_source& settings;
  cluster::presence_options presence;
  shard_status& status;
  cluster::moderation_metrics& moderation;
  std::function<std::string()> describe_node; ///< for the roster, JSON; from the bridge's loop
};

/// Links the rooms of this node with those of all others through one Redis: hands their publishes to
/// it, and to each room what comes back. Everything that may be late, lost or doubled on the way is
/// dealt with in `cluster::redis_broker`; rooms hear of one gapless order, or of a break.
///
/// While a loop of this node is far behind with what it was sent, nothing more is read of the channels.
///
/// One a shard; pinned to a loop, whose sockets are its links. Vital to the node.
class bridge final : public pinned {
public:
  /// `cast` must outlive the bridge; complete before it starts.
  bridge(caf::actor_config& config, boost::asio::io_context& io, bridge_parts parts,
         const node_cast& cast, std::function<std::chrono::steady_clock::time_point()> now);

  const char* name() const override { return "bridge"; }

private:
  class port;

  caf::behavior make_behavior() override;
  void on_exit() override;

  void on_open(bridge_open& request);
  void on_close(room_id room);
  void on_recover(bridge_recover& request);
  void on_control(const bridge_control& order);
  void on_carry(const bridge_carry& order);
  void on_write_acts(const bridge_write_acts& order);
  void on_reread_acts(std::uint64_t ticket);
  void flush_soon(port& changed);
  void flush_ports();
  void hold_back();
  void on_reached(std::uint32_t loop);
  [[nodiscard]] port* find(room_id room);

  boost::asio::io_context& io_;
  cluster::redis_broker broker_;
  shard_status& status_;
  cluster::moderation_metrics& moderation_;
  notes_agreement notes_;
  const node_cast& cast_;
  caf::actor control_;        // hears what comes on the control channels
  std::size_t way_ = 0;       // of this Redis, to it
  std::vector<bool> lags_;    // by loop: its hub has yet to come to our mark
  std::size_t lag_count_ = 0; // of these
  std::unordered_map<room_id, std::shared_ptr<port>> ports_;
  std::vector<std::shared_ptr<port>> changed_; // hold publications that are not sent yet
  bool is_flush_posted_ = false;
  bool is_over_ = false;
};

} // namespace canang::actors
