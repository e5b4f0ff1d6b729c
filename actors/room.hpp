#pragma once

#include "actors/cast.hpp"
#include "actors/messages.hpp"
#include "actors/pinned.hpp"
#include "cluster/broker.hpp"
#include "net/metrics.hpp"

#include <boost/container/deque.hpp>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace canang::actors {

/// What rooms use of their loop. Outlives every room of the loop.
struct room_services {
  cluster::broker& broker;
  net::loop_metrics& metrics;
  const node_cast& cast;
};

/// One room that has members here: who they are, and the way of a publication to their hubs.
///
/// A member is a connection that the room monitors, so it leaves exactly once, however it ends.
/// Pinned to the loop that the room's name hashes to; started and reaped by that loop's directory.
class room final : public pinned, cluster::room_subscriber {
public:
  room(caf::actor_config& config, const room_services& services, std::string name,
       caf::actor directory);

  const char* name() const override { return "room"; }

private:
  caf::behavior make_behavior() override;
  void on_exit() override;

  void on_join(join_room& request);
  void admit(const join_room& request, const cluster::history_page& page);
  void on_leave(connection_id member);
  void drop_member(connection_id member);
  void on_publish(publish& request);

  void on_publication(const cluster::publication_ptr& message) override;
  void on_published(const cluster::publish_outcome& outcome) override;

  struct member {
    caf::actor_addr address;
    std::uint32_t loop;
  };

  struct unanswered_publish {
    caf::strong_actor_ptr publisher;
    std::uint32_t bytes;
  };

  const room_services& services_;
  std::string name_;
  caf::actor directory_;
  std::unordered_map<connection_id, member> members_;
  std::vector<std::uint32_t> members_on_loop_;
  boost::container::deque<unanswered_publish> unanswered_; // in the order of their publishes
  std::uint64_t joins_handled_ = 0;
};

} // namespace canang::actors
