#pragma once

#include "cluster/moderation/state.hpp"

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace canang::actors {

/// What the loop's connections ask about acts of moderators. While there are none that costs a load and two branches.
/// Owned by the loop's home, on its loop.
class moderation_rules {
public:
  using clock = cluster::moderation_act::clock;

  /// @param state outlives it.
  explicit moderation_rules(cluster::moderation_state& state)
    : state_(state), table_(state.source) {}

  [[nodiscard]] bool is_quiet() { return table_.get().empty(); }

  /// Whether there are acts about addresses.
  [[nodiscard]] bool asks_for_addresses() { return table_.get().has_addresses(); }

  /// A ban or mute that concerns it. Null: none.
  [[nodiscard]] cluster::act_ptr find(cluster::act_kind kind, const cluster::act_question& asked,
                                      clock::time_point now) {
    return table_.get().find(kind, asked, now);
  }

  /// The lockdown of a room. Null: none.
  [[nodiscard]] cluster::act_ptr find_lockdown(std::string_view room, clock::time_point now) {
    return table_.get().find_lockdown(room, now);
  }

  void note(cluster::moderated why) noexcept { state_.metrics.note(why); }

private:
  cluster::moderation_state& state_;
  kept_value<cluster::moderation_table> table_;
};

/// The address in the text of a session's peer, `192.0.2.1:4321` or `[2001:db8::1]:4321`. None: it came over a
/// Unix-domain socket, or is gone.
[[nodiscard]] std::optional<boost::asio::ip::address> address_in(std::string_view peer);

} // namespace canang::actors
