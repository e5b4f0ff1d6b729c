#pragma once

#include "actors/messages.hpp"
#include "cluster/moderation/desk.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

/// What actors tell each other about what moderators have decided.

namespace canang::actors {

/// To the control actor: have this done. The answer comes on the control actor's loop.
struct moderation_order {
  std::shared_ptr<cluster::moderation_wish> wish; ///< for the one who takes it
  cluster::moderation_handler answer;
};

/// To the control actor: which acts are in force? The answer comes on its loop.
struct acts_query {
  cluster::act_list_request wanted;
  std::function<void(cluster::act_list&&)> answer;
};

/// To a bridge: change the acts of your Redis. Answered with `acts_written`.
struct bridge_write_acts {
  std::uint64_t ticket = 0;
  std::vector<cluster::act_write> what;
};

struct acts_written {
  std::uint64_t ticket = 0;
  std::vector<cluster::act_stored> came_of_it;
};

/// To a bridge: ask your Redis which acts are new. Answered with `acts_reread`, behind what is.
struct bridge_reread_acts {
  std::uint64_t ticket = 0;
};

struct acts_reread {
  std::uint64_t ticket = 0;
};

/// From a bridge to the control actor: what its Redis has told.
struct acts_told {
  std::size_t way = 0;
  std::shared_ptr<cluster::act_news> news; ///< for the one who takes it
};

/// From the control actor to itself: some act is over.
struct acts_due {
  std::chrono::steady_clock::time_point when;
};

/// To all hubs: end the connections and memberships that these forbid. Answered with `control_part`.
struct end_banned {
  std::shared_ptr<const std::vector<cluster::act_ptr>> acts;
  control_ticket ticket;
};

/// From a room to itself: so many members it has, on which nodes. Then the join goes on that waited for that.
struct members_counted {
  join_room request;
  cluster::room_report report;
};

} // namespace canang::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::moderation_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::acts_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::bridge_write_acts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::acts_written)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::bridge_reread_acts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::acts_reread)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::acts_told)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::acts_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::end_banned)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(canang::actors::members_counted)
