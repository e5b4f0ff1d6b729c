#pragma once

#include "cluster/redis/shard.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace canang::cluster {

/// The channel on which nodes hear control messages: `prefix:control:NODE`, that of all nodes `prefix:control:all`, and
/// where the database is not 0 `prefix:controlDB:...`, since all databases of a server share its channels.
[[nodiscard]] std::string control_channel(std::string_view prefix, std::uint32_t database,
                                          std::string_view node);

/// The control channels of a node on one Redis. Part of a broker, on its thread.
class control_channels {
public:
  using message_handler = std::function<void(std::string_view)>;
  using failure_handler = std::function<void()>;

  /// `shard` must outlive it.
  control_channels(redis_shard& shard, std::string prefix, std::string_view node);

  /// Subscribes to the channel of all nodes and to this one's. `handler` is called with what comes; its view is valid
  /// during the call only.
  void listen(message_handler handler);

  /// Publishes a message for a node, or for all with an empty `to`. `failed` is called, later, when Redis did not take
  /// it.
  void send(std::string_view to, std::string_view message, failure_handler failed);

  /// @returns whether the channel is one of these two.
  bool on_message(std::string_view channel, std::string_view payload);

private:
  redis_shard& shard_;
  std::string prefix_;
  std::string own_;
  std::string all_;
  message_handler handler_;
};

} // namespace canang::cluster
