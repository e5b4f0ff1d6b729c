#pragma once

#include "cluster/local_presence.hpp"
#include "cluster/redis_room.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace canang::cluster {

/// This node's members in the presence that all nodes share: what a turn brings to a room goes to Redis
/// in one call, and whatever may have been lost on the way is made good by telling all members anew.
/// Owned by a broker, on its thread.
class redis_presence {
public:
  using clock = std::chrono::steady_clock;
  /// Publishes that a member came or went; the key makes a second telling a duplicate.
  using tell_function = std::function<void(std::string_view room, publication_kind kind,
                                           std::string&& member, std::string&& key)>;

  redis_presence(redis_room_services& services, const presence_options& options,
                 tell_function tell);

  void note(std::string_view room, const local_member& who, bool is_here);

  /// Sends what has changed, as far as Redis can be reached.
  void send();

  /// Redis may have lost what it knew of this node, or what was on its way: everything anew.
  void send_all_again();

  /// Others took this node for dead, and its members away: they all come anew, and are told so.
  void begin_again();

  /// Tells the leaves whose grace is over.
  void expire();

  /// Looks for leaves that somebody who is gone was to tell. In rooms of --join-leave, now and then.
  void sweep(std::string_view room);

  /// Forgets everybody: the node is going.
  void clear();

  [[nodiscard]] bool has_unsent() const noexcept { return !dirty_.empty(); }

private:
  struct member {
    std::string user;
    bool is_settled = false; // Redis has it, and it is decided whether its coming is told
  };

  struct change {
    std::uint64_t connection;
    std::string user;
    char how; // as of presence.lua
  };

  struct local_room {
    std::unordered_map<std::uint64_t, member> members;
    std::vector<change> changes; // not sent yet
    bool needs_all = false;      // what Redis knows is not certain
    bool is_on_its_way = false;
  };

  struct pending_leave {
    clock::time_point due;
    std::string room;
    std::string user;
    std::uint64_t connection;
  };

  void send_room(const std::string& name, local_room& room);
  [[nodiscard]] static std::vector<change> all_of(const local_room& room);
  void on_reply(const std::string& name, const std::vector<std::uint64_t>& came, redis_errc error,
                const redis_reply& reply);
  [[nodiscard]] bool is_uncertain(const std::string& name) const;
  void tell(std::string_view room, publication_kind kind, std::uint64_t connection,
            const std::string& user);
  void ask_leave(const pending_leave& leave);

  redis_room_services& services_;
  presence_options options_;
  tell_function tell_;
  std::unordered_map<std::string, local_room> rooms_;
  std::unordered_set<std::string> dirty_;
  std::deque<pending_leave> leaves_; // soonest first
  std::uint32_t life_ = 0;           // how often its members came anew
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

/// Tells the leaves that a script has given to this node to tell: `gone` is { NODE/CONNECTION, user, ... }.
/// Each has an idempotency key of its own, since a connection may be taken for gone more than once.
void tell_gone(const presence_options& options, const redis_presence::tell_function& tell,
               std::string_view room, const redis_reply& gone);

/// The keys of a room's presence.
struct presence_keys {
  presence_keys(std::string_view prefix, std::string_view room, std::string_view node);

  std::string members;
  std::string counts;
  std::string users;
  std::string grace;
  std::string rooms_of_node;
};

} // namespace canang::cluster
