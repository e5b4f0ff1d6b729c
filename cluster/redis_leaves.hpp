#pragma once

#include "cluster/local_presence.hpp"
#include "cluster/redis_room.hpp"

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

/// The leaves that this node is to tell: each waits for its grace, and then Redis decides whether it is
/// told, and gives it to one node only. Owned by the presence of a broker, on its thread.
class redis_leaves {
public:
  using clock = std::chrono::steady_clock;
  /// Publishes that a member came or went; the key makes a second telling a duplicate.
  using tell_function = std::function<void(std::string_view room, publication_kind kind,
                                           std::string&& member, std::string&& key)>;

  redis_leaves(redis_room_services& services, const presence_options& options, tell_function tell)
    : services_(services), options_(options), tell_(std::move(tell)) {}

  /// A member that has left a room; `key` is that of the telling's idempotency.
  struct leave {
    std::string id; ///< NODE/CONNECTION
    std::string user;
    std::string key;
  };

  void wait(std::string_view room, leave&& who, clock::time_point due);

  /// Asks for those that are due. Redis may not know yet who left a room that `is_uncertain`: its leaves
  /// are looked at again soon.
  void ask(const std::function<bool(const std::string& room)>& is_uncertain);

  /// Takes over what another node owed: `gone` is { NODE/CONNECTION, user, ... }.
  void take_over(std::string_view room, const redis_reply& gone);

  /// Looks for leaves that somebody who is gone was to tell. In rooms of --join-leave, now and then.
  void sweep(std::string_view room);

  /// They are left to those who stay.
  void clear();

  [[nodiscard]] std::size_t waiting_count() const noexcept { return waiting_.size(); }

private:
  struct pending {
    std::string room;
    leave who;
  };

  /// One call of leave.lua, kept until its answer is heard.
  struct call {
    std::uint64_t number;
    std::string room;
    std::vector<leave> leaves;
    bool is_again = false;
  };
  using call_ptr = std::shared_ptr<call>;

  void send(const call_ptr& what);
  void on_reply(const call_ptr& what, redis_errc error, const redis_reply& reply);
  void tell(std::string_view room, const leave& who);

  redis_room_services& services_;
  presence_options options_;
  tell_function tell_;
  std::multimap<clock::time_point, pending> waiting_;
  std::vector<call_ptr> unheard_; // to be sent again
  std::uint64_t calls_ = 0;
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

} // namespace canang::cluster
