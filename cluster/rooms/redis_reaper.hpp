#pragma once

#include "cluster/local_presence.hpp"
#include "cluster/rooms/redis_room.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace canang::cluster {

/// Takes the members of nodes whose lease has lapsed out of the rooms, page by page, so that nothing holds
/// up Redis. Each step looks at the lease again: a node that is back keeps what it has, and finds out what
/// was taken. Owned by a broker, on its thread.
class redis_reaper {
public:
  /// Members of a dead node were taken out of a room; in `reply` { ..., NODE/CONNECTION, user, ... } from
  /// `first` on are those whose leaves are due.
  using gone_function =
    std::function<void(std::string_view room, const redis_reply& reply, std::size_t first)>;

  redis_reaper(redis_room_services& services, const presence_options& options,
               gone_function on_gone)
    : services_(services), options_(options), on_gone_(std::move(on_gone)) {}

  /// Begins with a node in a partition, unless somebody else has begun within the last seconds. One of all partitions
  /// is logged.
  void begin(partition_id partition, const std::string& node, bool is_logged);

private:
  /// A dead node whose members are being taken away from the rooms of a partition.
  struct reaping {
    std::string node;
    partition_id partition = 0;
    std::size_t steps = 0; ///< commands without an answer
    bool has_failed = false;
  };
  using reaping_ptr = std::shared_ptr<reaping>;

  void read_rooms(const reaping_ptr& what, std::string_view cursor);
  void reap_room(const reaping_ptr& what, const std::string& room, std::string_view cursor);
  void on_page(const reaping_ptr& what, const std::string& room, const redis_reply& reply);
  [[nodiscard]] redis_shard::reply_handler
  step_of(const reaping_ptr& what, std::function<void(const redis_reply&)> function);
  void finish(const reaping& what);

  redis_room_services& services_;
  presence_options options_;
  gone_function on_gone_;
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

} // namespace canang::cluster
