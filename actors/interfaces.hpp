#pragma once

#include "actors/messages.hpp"
#include "actors/moderation_messages.hpp"
#include "actors/slow_mode_messages.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

/// What each actor answers to, in one place. The handles in use are untyped, since pinned actors are spawned
/// dynamically; but the behaviours are made from these types, so the compiler refuses one that lacks a handler
/// or has one too many.

namespace canang::actors::interfaces {

using connection = caf::typed_actor<
  /// A publish is stored, or failed. First, as it is the one that comes often.
  caf::reacts_to<published>,
  /// A room does not take it. That a room does, the loop's fan-out tells it (`membership_owner`).
  caf::reacts_to<join_failed>,
  /// How a room is that its client asked about.
  caf::reacts_to<room_told>,
  /// What is kept of one.
  caf::reacts_to<history_told>>;

using room = caf::typed_actor<
  /// A connection wants in: monitors it, and answers with `add_member` to its hub.
  caf::reacts_to<join_room>,
  /// A member leaves, or will not be one.
  caf::reacts_to<leave_room>,
  /// The connections of a user are removed.
  caf::reacts_to<expel_user>,
  /// A publication; goes to the broker, and comes back from it to all members.
  caf::reacts_to<publish>,
  /// In a cluster, from its bridge: publications for its members, in order.
  caf::reacts_to<bridge_publications>,
  /// The order is broken there: tells the members.
  caf::reacts_to<bridge_break>,
  /// What became of its oldest unanswered publish.
  caf::reacts_to<bridge_outcome>,
  /// What a joining member is to have first.
  caf::reacts_to<bridge_page>,
  /// How many members it has elsewhere, for a join.
  caf::reacts_to<members_counted>,
  /// A hub that was far behind has caught up with the room.
  caf::reacts_to<hub_reached>,
  /// From itself: some of what it holds back may go on.
  caf::reacts_to<gate_due>>;

using bridge = caf::typed_actor<
  /// A room begins to hear of its channel; the subscription is shared by all members on this node.
  caf::reacts_to<bridge_open>,
  /// It has ended; the channel is left some seconds later unless it comes back.
  caf::reacts_to<bridge_close>,
  /// A publication, to be stored and to come back to all nodes.
  caf::reacts_to<bridge_publish>,
  /// A member joins.
  caf::reacts_to<bridge_recover>,
  /// A member has come or gone: for the presence.
  caf::reacts_to<bridge_member>,
  /// How is a room?
  caf::reacts_to<room_query>,
  /// What comes on the control channels goes to that one.
  caf::reacts_to<bridge_control>,
  /// A message for the control channel of a node, or of all.
  caf::reacts_to<bridge_carry>,
  /// Changes of the acts of moderators.
  caf::reacts_to<bridge_write_acts>,
  /// Which of them are new?
  caf::reacts_to<bridge_reread_acts>,
  /// A publication from outside of its room, to be stored and to come back to all nodes.
  caf::reacts_to<publish_to_room>,
  /// What is kept of a room?
  caf::reacts_to<history_query>,
  /// Nothing is to be kept of it.
  caf::reacts_to<history_removal>,
  /// Which rooms have members?
  caf::reacts_to<room_list_query>,
  /// A hub that was far behind has handled what it had been sent.
  caf::reacts_to<hub_reached>,
  /// The node is going.
  caf::reacts_to<bridge_leave>,
  /// Memory is short: drops recent publications, which Redis has.
  caf::reacts_to<shed_memory>,
  /// Gives up what waits too long, checks idle rooms.
  caf::reacts_to<tick>>;

using control = caf::typed_actor<
  /// Has a command executed on all nodes.
  caf::reacts_to<control_order>,
  /// Has an order of a moderator carried out on all nodes.
  caf::reacts_to<moderation_order>,
  /// Which acts of moderators are in force?
  caf::reacts_to<acts_query>,
  /// From a bridge: what its Redis has told of them.
  caf::reacts_to<acts_told>,
  /// From a bridge: what became of changes.
  caf::reacts_to<acts_written>,
  /// From a bridge: its Redis has been asked.
  caf::reacts_to<acts_reread>,
  /// From itself: some act is over.
  caf::reacts_to<acts_due>,
  /// Of another node: a command or an answer.
  caf::reacts_to<control_mail>,
  /// A bridge could not carry a command.
  caf::reacts_to<control_failed>,
  /// A hub or a room has done its part.
  caf::reacts_to<control_part>,
  /// A client of another node's session has said something here.
  caf::reacts_to<relay_order>,
  /// What became of something that was said on another node.
  caf::reacts_to<relay_done>,
  /// From itself, while commands wait: gives up, tries again.
  caf::reacts_to<control_check>>;

using hub = caf::typed_actor<
  /// Answers the join, then the member gets what is delivered.
  caf::reacts_to<add_member>,
  /// The member gets nothing of that room any more.
  caf::reacts_to<remove_member>,
  /// A publication for the room's members on this loop.
  caf::reacts_to<deliver>,
  /// Answers, and so tells that it has handled what came before.
  caf::reacts_to<hub_mark>,
  /// The members have missed something, or the epoch has changed.
  caf::reacts_to<break_order>,
  /// Tells the room's members, or disconnects them: the room is gone.
  caf::reacts_to<room_failed>,
  /// Closes the connections of a user.
  caf::reacts_to<close_user>,
  /// Makes the connections of a user members of a room.
  caf::reacts_to<subscribe_user>,
  /// Ends the connections and memberships that bans forbid.
  caf::reacts_to<end_banned>,
  /// Lets the connections of a user stay for longer.
  caf::reacts_to<refresh_connections>,
  /// Counts the connections of a user.
  caf::reacts_to<count_connections>,
  /// Hands a session what its client has said elsewhere.
  caf::reacts_to<emulate>,
  /// Closes all connections, paced, until the deadline.
  caf::reacts_to<drain>,
  /// Closes some members, for the balance.
  caf::reacts_to<shed>,
  /// Time for the pace of a drain.
  caf::reacts_to<tick>>;

using heartbeat = caf::typed_actor<
  /// Pings and gives up the connections whose time has come.
  caf::reacts_to<tick>>;

using directory = caf::typed_actor<
  /// Hands a join to its room, which it starts if there is none; or refuses it, where that would be one
  /// room too many.
  caf::reacts_to<join_room>,
  /// Hands on that a join is not wanted any more.
  caf::reacts_to<leave_room>,
  /// Hands it to the room, if there is one.
  caf::reacts_to<expel_user>,
  /// How is a room? Of a node that runs alone, as the two that follow.
  caf::reacts_to<room_query>,
  /// A publication from outside of its room.
  caf::reacts_to<publish_to_room>,
  /// One of a client that is not in the room: goes to the room, if there is one, as it has a rate.
  caf::reacts_to<client_publish>,
  /// From itself: such a one has been answered, in a room of slow mode.
  caf::reacts_to<turn_settled>,
  /// What is kept of a room?
  caf::reacts_to<history_query>,
  /// Nothing is to be kept of it.
  caf::reacts_to<history_removal>,
  /// Which rooms have members?
  caf::reacts_to<room_list_query>,
  /// A room without members; reaped after the linger time unless someone joins.
  caf::reacts_to<room_empty>,
  /// Another loop needs places for rooms.
  caf::reacts_to<give_way>,
  /// Memory is short: forgets rooms without members.
  caf::reacts_to<shed_memory>,
  /// Reaps, and lets the broker forget what is over its lifetime.
  caf::reacts_to<tick>>;

using node = caf::typed_actor<
  /// Starts everything, and serves.
  caf::reacts_to<start_node>,
  /// Drains, then stops everything in reverse order.
  caf::reacts_to<shut_down>,
  /// Closes the connections: balancers have had their time.
  caf::reacts_to<drain_grace_over>,
  /// Looks how far the drain is.
  caf::reacts_to<drain_check>,
  /// Compares its connections with the others'.
  caf::reacts_to<balance_check>>;

} // namespace canang::actors::interfaces
