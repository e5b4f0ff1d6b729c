#pragma once

#include "base/name_map.hpp"
#include "base/retry_pause.hpp"
#include "cluster/local_presence.hpp"
#include "cluster/rooms/redis_room.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace canang::cluster {

/// The leaves that this node is to tell: each waits for its grace, and then a script of Redis' decides
/// whether it is told, and tells it in the same step (cluster/rooms/scripts/leave.lua). Owned by the presence of a
/// broker, on its thread.
class redis_leaves {
public:
  using clock = std::chrono::steady_clock;

  redis_leaves(redis_room_services& services, const presence_options& options)
    : services_(services), options_(options) {}

  /// A member that has left a room.
  struct leave {
    std::string id;  ///< NODE/CONNECTION
    std::string who; ///< as of cluster/who_text.hpp
  };

  void wait(std::string_view room, leave&& who, clock::time_point due);

  /// Asks for those that are due. Redis may not know yet who left a room that `is_uncertain`: its leaves
  /// are looked at again soon.
  void ask(const std::function<bool(const std::string& room)>& is_uncertain);

  /// Takes over what another node owed: `reply` has NODE/CONNECTION, who it was, ... from `first` on.
  void take_over(std::string_view room, const redis_reply& reply, std::size_t first);

  /// Looks for leaves that somebody who is gone was to tell. In rooms of --join-leave, now and then.
  void sweep(std::string_view room);

  /// They are left to those who stay.
  void clear();

  [[nodiscard]] std::size_t waiting_count() const noexcept { return waiting_.size(); }

private:
  struct pending {
    std::string room;
    leave who;
    std::uint64_t number = 0;
  };

  /// One call of leave.lua, kept until its answer is heard: it may be made again.
  struct call {
    std::string room;
    std::vector<leave> leaves;
    std::size_t who_bytes = 0;
  };
  using call_ptr = std::shared_ptr<call>;

  [[nodiscard]] static std::string name_of(const pending& one);
  [[nodiscard]] bool take_number(const pending& one);
  [[nodiscard]] pending take_first();
  [[nodiscard]] std::vector<call_ptr>
  due_calls(const std::function<bool(const std::string& room)>& is_uncertain);
  void send(const call_ptr& what);
  void on_reply(const call_ptr& what, redis_errc error, const redis_reply& reply);
  void sweep_page(const std::string& room, std::string_view cursor);

  redis_room_services& services_;
  presence_options options_;
  std::multimap<clock::time_point, pending> waiting_;
  name_map<std::uint64_t> newest_; // of each connection and room that waits
  std::size_t waiting_bytes_ = 0;  // of memory, what tells who those are takes outside
  std::uint64_t wait_count_ = 0;
  std::vector<call_ptr> unheard_; // to be sent again
  retry_pause pause_;
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

} // namespace canang::cluster
