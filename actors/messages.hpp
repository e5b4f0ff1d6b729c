#pragma once

#include "actors/chosen_connections.hpp"
#include "actors/ids.hpp"
#include "actors/tickets.hpp"
#include "cluster/answer_once.hpp"
#include "cluster/broker.hpp"
#include "cluster/control/command.hpp"
#include "cluster/control/relayed_message.hpp"
#include "cluster/publication.hpp"
#include "net/emulation.hpp"
#include "net/limits.hpp"
#include "net/metrics.hpp"
#include "net/protocol/protocol.hpp"

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// The vocabulary of the actors. Who answers to what is in interfaces.hpp.

namespace canang::actors {

/// To the connection: the room does not take it.
struct join_failed {
  subscription_id subscription = 0;
  net::command_fault why = net::command_fault::unavailable;
};

/// A connection wants to be a member of a room.
struct join_room {
  std::string room;
  std::shared_ptr<join_ticket> ticket;
  std::uint32_t loop = 0;    ///< where the connection lives
  std::uint32_t request = 0; ///< of the client
  std::uint8_t note = 0;     ///< of its protocol, which gets it back with the answer
  const net::wire_format* format = nullptr;
  cluster::recover_request wanted{}; ///< what it is to have first
  bool newest_only = false; ///< of that the newest message alone, unless it has that one already
  std::string who{};        ///< who the client is, as of cluster/who_text.hpp
  std::uint32_t expires_in_s = 0; ///< the membership ends then; 0: never
  bool is_entering = false; ///< the server puts it there as it connects: never one room too many
  std::uint32_t most_members = 0; ///< there may be when it has joined; 0: as many as want
  net::hook_data_ptr data{};      ///< what the client is told with the answer; null: nothing
};

/// A member has said that it leaves; or one that joins, and it will not be one. To the room where the connection
/// knows it, else on the way of the join. One whose connection died does not say it.
struct leave_room {
  connection_id member = 0;
  subscription_id subscription = 0;
  std::string room{}; ///< where the directory has to know
};

/// To the hub of the member's loop: answer the join, then hand on what is delivered.
struct add_member {
  room_id room = 0;
  connection_id member = 0;
  const net::wire_format* format = nullptr;
  std::vector<cluster::publication_ptr> recovered;
  std::string room_name{};
  cluster::position from{};  ///< what it is sent follows it
  bool is_recovered = false; ///< it asked to resume, and misses nothing
  subscription_id subscription = 0;
  std::uint32_t request = 0;      ///< of the client
  caf::actor handle{};            ///< of the room
  std::uint8_t note = 0;          ///< of the join
  std::uint32_t expires_in_s = 0; ///< likewise
  net::hook_data_ptr data{};      ///< likewise
};

/// Why a room ends a membership, for the client: its protocol has a word for that, or else it is
/// disconnected with the code.
struct removal {
  std::uint16_t code = 0;
  std::string text;
};

/// To the hub of the member's loop.
struct remove_member {
  room_id room = 0;
  connection_id member = 0;
  subscription_id subscription = 0;
  std::optional<removal> why{}; ///< none: it has left
};

/// Of a publish in a room of slow mode: who may publish the next one only so much later.
struct publish_pace {
  std::string who;
  std::chrono::milliseconds interval;
};

/// A member's message, to its room. Answered with `published`, in the order of the publishes.
struct publish {
  std::shared_ptr<cluster::publication> message;
  std::string idempotency_key{};
  subscription_id subscription = 0;
  std::uint32_t request = 0;                  ///< of the client
  publish_ticket_ptr ticket{};                ///< null: the client ends with the room
  std::shared_ptr<const publish_pace> pace{}; ///< null: it need not wait
};

/// To the publisher: what became of a publish.
struct published {
  cluster::publish_outcome outcome;
  std::uint32_t bytes = 0; ///< payload size of that publish
  subscription_id subscription = 0;
  std::uint32_t request = 0;
  std::chrono::milliseconds wait{
    0}; ///< more than 0: not published, since its sender has to wait so long
};

/// To the connection: how the room is that it asked about.
struct room_told {
  net::query_command::subject what = net::query_command::subject::members;
  std::uint32_t request = 0;
  std::string room{};
  bool with_members = false;
  cluster::room_report report{};
};

/// To the connection: what is kept of the room that it asked about.
struct history_told {
  std::uint32_t request = 0;
  std::string room{};
  cluster::history_answer answer{};
};

/// To the hub of each loop that has members.
struct deliver {
  room_id room = 0;
  cluster::publication_ptr message;
};

/// What a publication on its way counts as, in bytes.
[[nodiscard]] inline std::size_t cost_in_flight(const cluster::publication& message) noexcept {
  return message.size() + net::overhead_in_flight_bytes;
}

/// To the hub of a loop that is far behind, after all that was sent to it: answered with `hub_reached`.
struct hub_mark {
  std::uint32_t loop = 0;
  caf::actor from;
};

/// From the hub to the one who sent a mark: all that came before it is handled.
struct hub_reached {
  std::uint32_t loop = 0;
};

/// From a room to itself: what it holds back may go on.
struct gate_due {};

/// To the hub of each loop that has members: what comes next follows `from`, which is not where the
/// room stood.
struct break_order {
  room_id room = 0;
  std::string room_name;
  cluster::position from;
  bool is_lost = false;
};

/// To a bridge: a room wants to hear of its channel. To the room: `bridge_publications` and so on.
struct bridge_open {
  std::string room;
  caf::actor subscriber;
};

/// To a bridge: the room of this id has ended.
struct bridge_close {
  room_id room = 0;
};

/// To a bridge: a publish of a room. Answered with `bridge_outcome`, in the order of the publishes.
struct bridge_publish {
  room_id room = 0;
  std::shared_ptr<cluster::publication> message;
  std::string idempotency_key;
};

/// To a bridge: what a joining member is to have first. Answered with `bridge_page`.
struct bridge_recover {
  room_id room = 0;
  std::uint64_t request = 0;
  cluster::recover_request wanted;
};

/// To a bridge: a member of a room has come or gone.
struct bridge_member {
  room_id room = 0;
  cluster::local_member who;
  bool is_here = false;
};

/// To a bridge: the node is going; its members leave the presence, and its lease ends.
struct bridge_leave {};

/// To the directory of a room's loop, or in a cluster to the bridge of its shard: how is the room? The
/// answer comes on the asked one's loop.
struct room_query {
  std::string room;
  bool with_members = false;
  cluster::answer_once<cluster::room_report> answer;
};

/// To the same: publish something in a room, whether anybody is in it or not. While Redis is away the answer comes
/// within `--redis-publish-timeout`; with `skip_history` and of the two other questions within
/// `--redis-command-timeout`.
struct publish_to_room {
  std::string room;
  std::shared_ptr<cluster::publication> message;
  std::string idempotency_key{}; ///< may be empty
  bool skip_history = false;     ///< see `cluster::publish_options`
  cluster::answer_once<cluster::publish_outcome> answer;
};

/// To the directory of a room's loop: a client publishes in a room that it is not in. Answered with `published`.
struct client_publish {
  std::string room;
  caf::actor publisher;
  publish what;
};

/// To the same: what is kept of a room?
struct history_query {
  std::string room;
  cluster::history_request wanted;
  cluster::answer_once<cluster::history_answer> answer;
};

/// To the same: remove what is kept of a room.
struct history_removal {
  std::string room;
  cluster::answer_once<cluster::removal_answer> answer;
};

/// To all directories, or in a cluster to all bridges: which of your rooms have members?
struct room_list_query {
  cluster::room_list_request wanted{};
  cluster::answer_once<cluster::room_list> answer;
};

/// To the node's control actor: have this done on all nodes. The answer comes on the control actor's loop.
struct control_order {
  cluster::control_command command;
  cluster::control_handler answer;
};

/// To a bridge: hand on to `to` what comes on the control channels of your Redis, which is the way `way`.
struct bridge_control {
  caf::actor to;
  std::size_t way = 0;
};

/// To a bridge: a control message for a node, or for all with an empty `to`. Answered with `control_failed` if Redis
/// does not take it.
struct bridge_carry {
  std::string to;
  std::string message;
  std::uint64_t number = 0; ///< of the command; 0: none, and no answer is wanted
};

/// From a bridge to the control actor: the message of another node.
struct control_mail {
  std::size_t way = 0;
  std::string message;
};

/// From a bridge to the control actor: a command was not carried.
struct control_failed {
  std::size_t way = 0;
  std::uint64_t number = 0;
};

/// From the control actor to itself while commands wait.
struct control_check {};

/// Who is told, with `control_part`, that a part of a command is done.
struct control_ticket {
  caf::actor to;
  std::uint64_t id = 0;
};

/// To the control actor: so many connections were found by one who had a part of a command to do.
struct control_part {
  std::uint64_t id = 0;
  std::uint64_t connections = 0;
};

/// To all hubs: close the connections of a user.
struct close_user {
  std::shared_ptr<const cluster::disconnect_user> what;
  control_ticket ticket;
  chosen_connections which{};
};

/// To all hubs: make the connections of a user members of a room.
struct subscribe_user {
  std::shared_ptr<const cluster::add_to_room> what;
  control_ticket ticket;
  chosen_connections which{};
};

/// To all hubs: let the connections of a user stay for longer.
struct refresh_connections {
  std::shared_ptr<const cluster::refresh_user> what;
  control_ticket ticket;
  chosen_connections which{};
};

/// To all hubs: how many connections has a user?
struct count_connections {
  std::shared_ptr<const cluster::count_user> what;
  control_ticket ticket;
  chosen_connections which{};
};

/// To the directory of a room's loop, and on to the room: remove the connections of a user from it.
struct expel_user {
  std::string room;
  std::string user;
  control_ticket ticket;
  chosen_connections which{};
};

/// To the hub of a session's loop: its client has said something in a request of its own.
struct emulate {
  std::string session;
  std::shared_ptr<std::string> message; ///< for the one who takes it
  net::emulation_answer answer;
};

/// To the node's control actor: bring it to the node that has the session. The answer comes on the control actor's
/// loop.
struct relay_order {
  std::string node;
  std::shared_ptr<const cluster::relayed_message> message;
  net::emulation_answer answer;
};

/// To the control actor: what became of a message that another node relayed.
struct relay_done {
  std::uint64_t number = 0; ///< as it counts them
  net::emulation_outcome outcome = net::emulation_outcome::unavailable;
};

/// A part of a loop's backlog: in it as long as the message that it belongs to, even when the one who was to have
/// that is dead.
class backlog_share {
public:
  backlog_share(std::shared_ptr<net::shared_counter> backlog, std::uint64_t bytes)
    : backlog_(std::move(backlog)), bytes_(bytes) {
    backlog_->add(bytes_);
  }
  backlog_share(const backlog_share&) = delete;
  backlog_share& operator=(const backlog_share&) = delete;
  ~backlog_share() { backlog_->subtract(bytes_); }

private:
  std::shared_ptr<net::shared_counter> backlog_;
  std::uint64_t bytes_;
};

/// To a room: its next publications, in order.
struct bridge_publications {
  std::vector<cluster::publication_ptr> messages;
  std::shared_ptr<const backlog_share> share; ///< of the room's loop
};

/// To a room: its order is broken, see `cluster::room_subscriber::on_break`.
struct bridge_break {
  cluster::position from;
  bool is_lost = false;
};

/// To a room: the answer to its oldest unanswered publish.
struct bridge_outcome {
  cluster::publish_outcome outcome;
};

/// To a room: the answer to a `bridge_recover`. All that was sent before it is up to its `top`.
struct bridge_page {
  std::uint64_t request = 0;
  cluster::history_page page;
};

/// To the directory: a room has no members, and has handled this many joins in its life.
struct room_empty {
  std::uint64_t joins_handled = 0;
};

/// To a directory: forget so many rooms without members, as far as there are any, so that others have a
/// place for one more.
struct give_way {
  std::uint64_t rooms = 0;
};

/// To a directory or a bridge: memory is over its limit; let go so many bytes of what is kept for who
/// may come back, or can be read again.
struct shed_memory {
  std::uint64_t bytes = 0;
};

/// To all hubs: a room died of a fault; its members are to be told, or to be disconnected, so that they come
/// back.
struct room_failed {
  room_id room = 0;
};

/// To the heartbeat, the directory, the hub and the bridges of a loop, every `tick_interval`.
struct tick {
  std::chrono::steady_clock::time_point now;
};

/// To the node, first of all: start everything, and serve. Whoever sees it ready may send to it.
struct start_node {};

/// To the node: drain, and end.
struct shut_down {
  bool with_grace = true; ///< false: nobody waits for a balancer to notice
  /// Called on the node's thread when the drain is to be seen; may be empty.
  std::function<void()> when_begun = {};
};

/// To the hubs: close all connections until `deadline`.
struct drain {
  std::chrono::steady_clock::time_point deadline;
};

/// To the hubs: close some connections within a second, so that they go to other nodes.
struct shed {
  std::size_t count;
};

/// From the node to itself: the time is over in which balancers notice that it goes.
struct drain_grace_over {};

/// From the node to itself while it drains.
struct drain_check {};

/// From the node to itself, once a second: is this node's share of the connections a fair one?
struct balance_check {};

} // namespace canang::actors

// Messages never leave the process: CAF does not need to know how to write them to a wire.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::join_room)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::leave_room)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::join_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::add_member)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::remove_member)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::publish)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::published)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::client_publish)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::room_told)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::history_told)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::deliver)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::hub_mark)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::hub_reached)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::gate_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::break_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::bridge_open)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::bridge_close)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::bridge_publish)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::bridge_recover)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::bridge_member)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::bridge_leave)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::room_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::control_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::bridge_control)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::bridge_carry)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::control_mail)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::control_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::control_check)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::control_part)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::close_user)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::subscribe_user)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::refresh_connections)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::count_connections)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::expel_user)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::emulate)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::relay_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::relay_done)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::publish_to_room)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::history_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::history_removal)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::room_list_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::bridge_publications)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::bridge_break)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::bridge_outcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::bridge_page)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::room_empty)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::give_way)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::shed_memory)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::room_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::start_node)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::shut_down)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::drain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::drain_grace_over)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::drain_check)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::shed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::balance_check)
