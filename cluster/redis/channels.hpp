#pragma once

#include "base/name_map.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace canang::cluster {

/// Which channels are wanted, and what of that the server has been told and has confirmed. Knows no
/// socket: the shard asks it what to send, and tells it what came. Owned by a shard, on its thread.
class redis_channels {
public:
  /// Channels a command, and commands' channels that may be unconfirmed: an answer is as long as the
  /// name, and Redis ends a subscriber that lets too much wait.
  static constexpr std::size_t most_a_command = 500;
  static constexpr std::size_t most_unconfirmed = 2000;

  /// What is to be sent next. Views are valid until the next call of `next` or `begin`.
  struct batch {
    std::vector<std::string_view> subscribe;
    std::vector<std::string_view> unsubscribe;
    std::vector<std::string_view>
      confirmed; ///< wanted again before it was given up: nothing to send

    [[nodiscard]] bool empty() const noexcept {
      return subscribe.empty() && unsubscribe.empty() && confirmed.empty();
    }
  };

  void want(std::string_view channel);
  void unwant(std::string_view channel);

  /// A new connection: nothing is subscribed.
  void begin();

  /// Empty when there is nothing to send, or enough is unconfirmed.
  [[nodiscard]] batch next();

  /// The server has answered to a SUBSCRIBE or UNSUBSCRIBE of `channel`.
  /// @returns whether the subscription is confirmed by that.
  bool confirm(std::string_view channel);

  [[nodiscard]] bool is_wanted(std::string_view channel) const;

  /// Whether all that was wanted at `begin` (and is still) is confirmed.
  [[nodiscard]] bool is_settled() const noexcept { return unsettled_ == 0; }

  [[nodiscard]] std::size_t size() const noexcept { return channels_.size(); }

private:
  struct channel {
    bool is_wanted = false;
    bool is_sent = false;   // what the server was told last: subscribe
    bool is_queued = false; // in `queue_`
    bool is_unsettled = false;
    std::uint32_t unconfirmed = 0;
  };
  using channel_map = name_map<channel>;

  void enqueue(channel_map::value_type& entry);
  void settle(channel& state);
  void decide(channel_map::value_type& entry, batch& result);

  channel_map channels_;
  std::deque<channel_map::value_type*> queue_; // the map's entries stay where they are
  std::size_t unconfirmed_ = 0;
  std::size_t unsettled_ = 0;
};

} // namespace canang::cluster
