#pragma once

#include "cluster/local_presence.hpp"
#include "cluster/name_map.hpp"
#include "cluster/redis_leaves.hpp"
#include "cluster/redis_room.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace canang::cluster {

/// This node's members in the presence that all nodes share: what a turn brings to a room goes to Redis
/// in one call, and whatever may have been lost on the way is made good by telling all members anew.
/// Owned by a broker, on its thread.
class redis_presence {
public:
  using clock = std::chrono::steady_clock;
  using tell_function = redis_leaves::tell_function;

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
  void sweep(std::string_view room) { leaves_.sweep(room); }

  /// Members of a dead node that were taken out of a room: their leaves are this node's to tell.
  void take_over(std::string_view room, const redis_reply& gone) { leaves_.take_over(room, gone); }

  /// Forgets everybody: the node is going.
  void clear();

  [[nodiscard]] bool has_unsent() const noexcept { return !dirty_.empty(); }

private:
  struct member {
    std::string user;
    char how; // as of presence.lua: '=' once Redis has it and its coming is dealt with
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
    std::uint64_t unheard = 0; // the first call since whose answer was lost, or 0
  };

  void send_room(const std::string& name, local_room& room);
  [[nodiscard]] static std::vector<change> all_of(const local_room& room);
  void on_reply(const std::string& name, std::uint64_t number,
                const std::vector<std::uint64_t>& came, redis_errc error, const redis_reply& reply);
  [[nodiscard]] bool is_uncertain(const std::string& name) const;
  void tell_joined(std::string_view room, std::uint64_t connection, std::string&& user);
  [[nodiscard]] std::string id_of(std::uint64_t connection) const;
  [[nodiscard]] std::string key_of(std::string_view what, std::uint64_t connection) const;

  redis_room_services& services_;
  presence_options options_;
  tell_function tell_;
  name_map<local_room> rooms_;
  name_set dirty_;
  redis_leaves leaves_;
  std::uint64_t calls_ = 0; // of presence.lua, by number
  std::uint32_t life_ = 0;  // how often its members came anew
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

/// The keys of a room's presence.
struct presence_keys {
  presence_keys(std::string_view prefix, std::string_view room, std::string_view node);

  std::string members;
  std::string counts;
  std::string users;
  std::string grace;
  std::string rooms_of_node;
  std::string answered;
};

} // namespace canang::cluster
