#pragma once

#include "cluster/broker.hpp"
#include "cluster/publication.hpp"
#include "net/dialect.hpp"

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// The vocabulary of the actors. Who answers to what is in interfaces.hpp.

namespace canang::actors {

/// Names a connection on this node: the id of its actor.
using connection_id = std::uint64_t;

/// Names a room on this node, in its present life: the id of its actor.
using room_id = std::uint64_t;

/// A connection wants to be a member of a room.
struct join_room {
  std::string room;
  caf::actor connection;
  std::uint32_t loop = 0; ///< where the connection lives
  const net::dialect* language = nullptr;
  std::uint32_t history = 0; ///< publications wanted first
};

/// A member has said that it leaves. One whose connection died does not say it.
struct leave_room {
  connection_id member = 0;
};

/// To the connection: it is a member now, and may publish to `room`.
struct joined {
  caf::actor room;
};

/// To the connection: the room cannot take it.
struct join_failed {
  cluster::broker_errc error = cluster::broker_errc::none;
};

/// To the hub of the member's loop: answer the join, then hand on what is delivered.
struct add_member {
  room_id room = 0;
  connection_id member = 0;
  const net::dialect* language = nullptr;
  std::vector<cluster::publication_ptr> recovered;
};

/// To the hub of the member's loop.
struct remove_member {
  room_id room = 0;
  connection_id member = 0;
};

/// A member's message, to its room. Answered with `published`.
struct publish {
  std::shared_ptr<cluster::publication> message;
  std::string idempotency_key;
};

/// To the publisher: what became of its oldest unanswered publish.
struct published {
  cluster::publish_outcome outcome;
  std::uint32_t bytes = 0; ///< payload size of that publish
};

/// To the hub of each loop that has members.
struct deliver {
  room_id room = 0;
  cluster::publication_ptr message;
};

/// To the directory: a room has no members, and has handled this many joins in its life.
struct room_empty {
  std::uint64_t joins_handled = 0;
};

/// To all hubs: a room died of a fault; its members are to be disconnected, so that they come back.
struct room_failed {
  room_id room = 0;
};

/// To the heartbeat and the directory of a loop, every `tick_interval`.
struct tick {
  std::chrono::steady_clock::time_point now;
};

/// To the node: SIGTERM or SIGINT has come.
struct shut_down {};

/// To the hubs: close all connections until `deadline`.
struct drain {
  std::chrono::steady_clock::time_point deadline;
};

/// From the node to itself while it drains.
struct drain_check {};

} // namespace canang::actors

// Messages never leave the process: CAF does not need to know how to write them to a wire.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::join_room)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::leave_room)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::joined)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::join_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::add_member)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::remove_member)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::publish)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::published)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::deliver)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::room_empty)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::room_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::shut_down)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::drain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::drain_check)
