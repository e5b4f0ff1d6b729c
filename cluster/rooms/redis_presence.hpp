#pragma once

#include "base/name_map.hpp"
#include "base/retry_pause.hpp"
#include "cluster/local_presence.hpp"
#include "cluster/rooms/redis_leaves.hpp"
#include "cluster/rooms/redis_room.hpp"
#include "cluster/rooms/redis_roster.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace canang::cluster {

/// This node's members in the presence that all nodes share: what a turn brings to a room goes to Redis
/// in one call, which tells the room too (cluster/rooms/scripts/presence.lua). Whatever may have been lost on the
/// way is made good by telling all members anew, which tells nobody twice. Owned by a broker, on its thread.
class redis_presence {
public:
  using clock = std::chrono::steady_clock;
  using lease_state = redis_roster::lease_state;

  /// `renew_lease` is called when Redis knows no lease of this node.
  redis_presence(redis_room_services& services, const presence_options& options,
                 std::function<void(partition_id)> renew_lease);

  void note(std::string_view room, const local_member& who, bool is_here);

  /// Sends what has changed, as far as Redis can be reached and the lease is certain.
  void send();

  /// Redis may have lost what was on its way: nothing is sent before the leases are certain, then everything.
  void await_leases();

  /// The lease of a partition was renewed; `taken` is when others took this node's members away.
  /// @returns whether there may be something to send.
  bool on_lease(partition_id partition, lease_state state, const std::string& taken);

  /// Tells the leaves whose grace is over.
  void expire();

  /// Looks for leaves that somebody who is gone was to tell. In rooms of --join-leave, now and then.
  void sweep(std::string_view room) { leaves_.sweep(room); }

  /// Members of a dead node that were taken out of a room, from `first` on in `reply`: their leaves are this
  /// node's to tell.
  void take_over(std::string_view room, const redis_reply& reply, std::size_t first) {
    leaves_.take_over(room, reply, first);
  }

  /// The settings were replaced: in rooms whose presence is kept from now on all members are told to Redis, without
  /// being told to have come; where it is kept no more they are taken out, without being told to have left.
  void settle();

  /// Takes everybody out: the node is going.
  void clear();

  /// After `clear`: whether some may still be there, as far as answers have come.
  [[nodiscard]] bool leaves_members() const noexcept { return leaves_members_; }

  /// Bytes of memory that the members of this node take here.
  [[nodiscard]] std::size_t cost() const noexcept;

  /// Rooms with something to send, those that wait after a refusal included.
  [[nodiscard]] std::size_t unsent_count() const noexcept {
    return dirty_.size() + refused_.size();
  }

private:
  struct member {
    std::string who; // as of who_text.hpp
    char how;        // as of presence.lua: '=' once Redis has it
  };

  struct change {
    std::uint64_t connection;
    std::string who; // as of who_text.hpp
    char how;        // as of presence.lua
  };

  struct local_room {
    std::unordered_map<std::uint64_t, member> members;
    std::vector<change> changes; // not sent yet, in order
    std::optional<std::uint64_t>
      cursor; // the look for members that are not here any more goes on there
    retry_pause pause;
    std::uint64_t unheard = 0; // the first call since whose answer was lost, or 0
    bool needs_all = false;    // what Redis knows is not certain
    bool is_on_its_way = false;
    bool is_unsure = false; // left with members that this node does not know of, maybe
    bool is_kept = false;   // by the settings
    bool is_told = false;
    bool is_left_over = false; // no more, but Redis has members yet
    partition_id partition = 0;
  };

  /// What is known of this node's lease of a partition.
  struct known_lease {
    std::string taken;
    bool is_awaited = true;
    bool is_new = false;       // all members are to be told anew
    bool is_taken_new = false; // and to join anew
  };

  [[nodiscard]] bool can_send(clock::time_point now) const;
  void send_if_due(const std::string& name, clock::time_point now);
  void settle(const std::string& name, local_room& room);
  static void begin_anew(local_room& room);
  [[nodiscard]] static std::vector<change> take_changes(local_room& room);
  void send_room(const std::string& name, local_room& room);
  void run(const std::string& name, local_room& room, std::span<const change> changes,
           std::string_view cursor);
  void on_reply(const std::string& name, std::uint64_t number,
                const std::vector<std::uint64_t>& came, redis_errc error, const redis_reply& reply);
  void on_done(const std::string& name, local_room& room, const redis_reply& reply);
  void on_taken_again();
  void tell_anew();
  void on_refused(const std::string& name, local_room& room, std::string_view error);
  void want_all(const std::string& name, local_room& room);
  [[nodiscard]] bool is_uncertain(const std::string& name) const;

  redis_room_services& services_;
  presence_options options_;
  std::function<void(partition_id)> renew_lease_;
  name_map<local_room> rooms_;
  name_set dirty_;
  std::multimap<clock::time_point, std::string> refused_; // when they are tried again
  retry_pause pause_;                                     // of all rooms: Redis refuses everybody
  std::size_t calls_on_their_way_ = 0;
  std::size_t tries_at_a_time_ = 1; // while it does
  std::array<known_lease, partition_count> leases_;
  bool has_new_leases_ = false;
  redis_leaves leaves_;
  std::uint64_t calls_ = 0; // of presence.lua, by number
  std::size_t member_count_ = 0;
  std::size_t texts_cost_ = 0; // of memory, what tells who they are takes outside
  bool is_clear_ = false;
  bool leaves_members_ = false;
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
  std::string last_call;
};

/// Members that one call of a script looks at, as an argument: it holds up all others of that Redis.
inline constexpr std::string_view presence_page_text = "512";

/// What one call may carry that tells who members are, about: most have a name and no more, and then it does not count.
inline constexpr std::size_t most_who_bytes_a_call = 256 * 1024;

} // namespace canang::cluster
