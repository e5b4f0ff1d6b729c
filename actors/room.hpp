#pragma once

#include "actors/bridge_link.hpp"
#include "actors/cast.hpp"
#include "actors/messages.hpp"
#include "actors/moderation_messages.hpp"
#include "actors/room_limit.hpp"
#include "actors/runtime/pinned.hpp"
#include "base/rare_text.hpp"
#include "cluster/broker.hpp"
#include "cluster/memory/room_keeper.hpp"
#include "net/loop_context.hpp"
#include "net/publish_rate.hpp"

#include <boost/container/deque.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace canang::actors {

class room_events;
class slow_mode;
struct pace_verdict;

/// What rooms use of their loop. Outlives every room of the loop.
struct room_services {
  cluster::broker& broker; ///< of a node that runs alone
  net::loop_metrics& metrics;
  const node_cast& cast;
  const bridge_cast& bridges; ///< of a node in a cluster
  net::loop_context& context;
  cluster::room_keeper* kept = nullptr; ///< by `broker`; null: nothing that could give way
  room_limit* limit = nullptr;          ///< null: none
  const room_events* events = nullptr;  ///< null: nobody is told which rooms have members
  std::string_view node{};              ///< its id
  net::publish_price price{context.limits.publishing_in_room}; ///< of what all of a room publish
  slow_mode* paces = nullptr; ///< of rooms that have one; null: none has
};

/// One room that has members here: who they are, and the way of a publication to their hubs.
///
/// What is published above the room's rate waits, in order. While a loop is far behind with what it was sent,
/// the answers wait: clients with many unanswered publishes are not read.
///
/// A member is a connection that the room monitors, so it leaves exactly once, however it ends.
/// Pinned to the loop that the room's name hashes to; started and reaped by that loop's directory.
class room final : public pinned, cluster::room_subscriber {
public:
  room(caf::actor_config& config, const room_services& services, std::string name,
       caf::actor directory);
  ~room() override;

  const char* name() const override { return "room"; }

  /// Never changes: from any thread that holds a handle.
  [[nodiscard]] const std::string& room_name() const noexcept { return name_; }

  /// Bytes of memory that a room with one member takes here: the actor, its entries in the directory and
  /// with its hub, its list of members. Without what long names take, and without the member itself.
  /// Measured, as most of it is CAF's.
  static constexpr std::size_t memory_bytes = 2400;

private:
  /// One that has joined, or whose join the broker has not answered yet.
  struct member {
    caf::actor_addr address;
    rare_text who; // as of cluster/who_text.hpp
    subscription_id subscription;
    std::uint16_t loop;
    bool is_joining;
    bool is_expelled = false; ///< of one that is joining: it is refused
  };
  using member_map = std::unordered_map<connection_id, member>;

  struct unanswered_publish {
    caf::strong_actor_ptr publisher;
    std::uint32_t bytes;
    subscription_id subscription;
    std::uint32_t request;
    bool is_paced = false; // then its verdict is in `paced_`
    publish_ticket_ptr ticket;
  };

  caf::behavior make_behavior() override;
  void on_exit() override;

  void on_join(join_room& request);
  void count_members(join_room& request);
  void on_counted(members_counted& count);
  void recover(join_room& request);
  void fail_join(const join_room& request, net::command_fault why);
  void on_page(const join_room& request, cluster::history_page&& page);
  void admit(member_map::value_type& joiner, const join_room& request,
             cluster::history_page&& page);
  void refuse(const join_room& request, net::command_fault why);
  void tell_if_empty();
  void on_leave(const leave_room& request);
  void on_expel(const expel_user& order);
  void expel(connection_id member, const removal& why);
  void let_go(member_map::value_type& leaving, std::optional<removal> why);
  void drop_member(connection_id member);
  void note_gone(connection_id member, const rare_text& who);
  void on_publish(publish& request);
  void answer(const cluster::publish_outcome& outcome);
  void answer_oldest(const cluster::publish_outcome& outcome);

  // slow mode
  [[nodiscard]] bool has_to_wait(const publish& request);
  [[nodiscard]] bool is_oldest_refused() const;
  void answer_refused();
  [[nodiscard]] pace_verdict take_oldest_verdict();
  void give_turns_back();

  // what is held back, in room_gate.cpp
  class gate;
  [[nodiscard]] gate& ensure_gate();
  [[nodiscard]] bool has_waiting() const noexcept;
  [[nodiscard]] bool may_answer() const;
  void pass_on(publish& request);
  void pass_on_oldest();
  void keep_waiting(publish& request);
  void hold(const cluster::publish_outcome& outcome);
  void go_on();
  void note_lag(std::uint32_t loop);
  void on_reached(std::uint32_t loop);
  void drop_gate();

  void on_publication(const cluster::publication_ptr& message) override;
  void on_published(const cluster::publish_outcome& outcome) override;
  void on_break(const cluster::position& from, bool is_lost) override;

  const room_services& services_;
  std::string name_;
  caf::actor directory_;
  std::optional<bridge_link> link_;                    // in a cluster
  std::unique_ptr<cluster::room_channel> own_channel_; // of a node that runs alone
  cluster::room_channel* channel_ = nullptr;           // one of the two
  member_map members_;
  std::vector<std::uint32_t> members_on_loop_;             // of those that have joined
  boost::container::deque<unanswered_publish> unanswered_; // in the order of their publishes
  using verdicts = boost::container::deque<pace_verdict>;
  std::unique_ptr<verdicts> paced_; // of those of `unanswered_` in slow mode; null: there was none
  std::uint64_t joins_handled_ = 0;
  std::size_t joins_pending_ = 0; // handled, but not answered by the broker yet
  bool is_told_ = false;          // outside, that it has members
  net::publish_allowance allowance_;
  std::unique_ptr<gate> gate_; // while something is held back
};

} // namespace canang::actors
