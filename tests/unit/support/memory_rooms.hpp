#pragma once

#include "cluster/memory/memory_broker.hpp"
#include "tests/unit/support/room_log.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace canang::test {

/// Settings that are the same for all rooms.
inline std::shared_ptr<const cluster::room_settings_table>
table_of(const cluster::room_settings& rooms, cluster::room_rules rules = {}) {
  auto table = std::make_shared<cluster::room_settings_table>();
  table->rooms = rooms;
  table->rules = std::move(rules);
  return table;
}

/// Before the broker, which needs it to the end.
struct settings_of_rooms {
  cluster::room_settings_source settings;
};

/// A memory broker with the channels of its rooms, by name.
class memory_rooms : public settings_of_rooms, public cluster::memory_broker {
public:
  using cluster::memory_broker::publish;

  memory_rooms(const cluster::room_settings& rooms, const cluster::memory_broker_options& options,
               std::function<clock::time_point()> now, cluster::room_rules rules = {},
               const cluster::presence_options& presence = {})
    : settings_of_rooms{cluster::room_settings_source{table_of(rooms, std::move(rules))}},
      memory_broker(options, std::move(now), settings, presence) {}

  void subscribe(const std::string& room, cluster::room_subscriber& subscriber) {
    channels_[room].open = open(room, subscriber);
  }

  void unsubscribe(const std::string& room) { channels_[room].open.reset(); }

  /// As a member where there is a subscriber, else from outside.
  void publish(const std::string& room, std::shared_ptr<cluster::publication> message,
               std::string_view key) {
    auto& channel = channels_[room].open;
    if (channel)
      channel->publish(std::move(message), key);
    else
      memory_broker::publish(room, std::move(message), {.idempotency_key = key},
                             [](cluster::publish_outcome&&) {});
  }

  /// Without a subscriber there is a mute one as long as there are members.
  void note_member(const std::string& room, const cluster::local_member& who, bool is_here) {
    auto& [channel, members, is_mute] = channels_[room];
    if (!channel) {
      channel = open(room, mute_);
      is_mute = true;
    }
    channel->note_member(who, is_here);
    if (is_here)
      members.insert(who.id);
    else
      members.erase(who.id);
    if (members.empty() && is_mute)
      channel.reset();
  }

  [[nodiscard]] cluster::room_channel& channel(const std::string& room) {
    return *channels_[room].open;
  }

private:
  struct opened {
    std::unique_ptr<cluster::room_channel> open;
    std::set<std::uint64_t> members;
    bool is_mute = false;
  };

  room_log mute_;
  std::map<std::string, opened> channels_;
};

} // namespace canang::test
