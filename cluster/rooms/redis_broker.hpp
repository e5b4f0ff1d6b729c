#pragma once

#include "base/name_map.hpp"
#include "cluster/broker.hpp"
#include "cluster/redis/shard.hpp"
#include "cluster/rooms/control_channels.hpp"
#include "cluster/rooms/housekeeping_faults.hpp"
#include "cluster/rooms/moderation_store.hpp"
#include "cluster/rooms/redis_presence.hpp"
#include "cluster/rooms/redis_probe_room.hpp"
#include "cluster/rooms/redis_reaper.hpp"
#include "cluster/rooms/redis_room.hpp"
#include "cluster/rooms/redis_roster.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace canang::cluster {

/// Who a node is, for this run of it.
struct node_identity {
  std::string id;           ///< short text, new at each start
  std::uint64_t origin = 0; ///< the same as a number, in envelopes
};

/// A node's rooms on one Redis: one order of what all nodes publish, its history, and members that
/// resume. Publishes of a turn go out together, a call a room; a room's channel is subscribed to from its
/// first local member until some seconds after its last. A room without any is known as long as something that
/// was published in it from outside has no answer.
///
/// Owned by the bridge of its shard; on that bridge's loop only.
class redis_broker final : public broker, redis_observer {
public:
  using clock = std::chrono::steady_clock;

  /// `io`, `settings`, `metrics` and whatever `now` uses must outlive it. Settings that replace others are seen
  /// within a second.
  redis_broker(boost::asio::io_context& io, redis_target target, const redis_options& links,
               const redis_broker_options& options, const node_identity& node,
               const room_settings_source& settings, const presence_options& presence,
               broker_metrics& metrics, std::function<clock::time_point()> now);
  ~redis_broker() override;

  void start();

  /// All that wait for an answer get one, and nothing is called after it.
  void stop();

  [[nodiscard]] std::unique_ptr<room_channel> open(std::string_view room,
                                                   room_subscriber& subscriber) override;
  void publish(std::string_view room, std::shared_ptr<publication> message,
               const publish_options& options, publish_handler handler) override;
  void history(std::string_view room, const history_request& request,
               history_handler handler) override;
  void remove_history(std::string_view room, removal_handler handler) override;
  void report(std::string_view room, bool with_members, report_handler handler) override;
  void list(const room_list_request& wanted, room_list_handler handler) override;

  /// What this node tells of itself with its lease, as JSON, and who is told of the nodes that live.
  /// Before `start`.
  void on_roster(std::function<std::string()> describe,
                 std::function<void(redis_roster::roster&&)> tell);

  /// Whether publications keep their notes on the way through Redis: from now on.
  /// Not while there are nodes of a release that had its leases elsewhere: it did not know notes either.
  void write_notes(bool wanted) noexcept {
    wants_notes_ = wanted;
    services_.options.writes_notes = wanted && !has_old_nodes_;
  }

  /// Takes this node's members out of the presence and gives its lease up; `done` is called when Redis has
  /// both, or cannot be reached.
  void leave(std::function<void()> done);

  /// Gives up what is over its time, checks positions, leaves channels. To be called every 100 ms.
  void tick();

  /// Called at the end of everything that made the subscribers hear something.
  void on_batch_end(std::function<void()> function) { batch_end_ = std::move(function); }

  /// Drops recent publications, which Redis has, until so many bytes of memory are free: those of rooms
  /// that nobody is in first, and of either kind of the room that was quiet longest.
  void shed(std::size_t bytes);

  /// Stops or resumes reading what the channels bring. What rooms then seem to lack is on its way.
  void pause_messages(bool paused);

  /// What nodes tell each other through this Redis.
  [[nodiscard]] control_channels& control() noexcept { return control_; }

  /// What moderators have decided, as far as this Redis has it.
  [[nodiscard]] moderation_store& moderation() noexcept { return moderation_; }

  [[nodiscard]] redis_shard& shard() noexcept { return shard_; }
  [[nodiscard]] std::size_t room_count() const noexcept { return rooms_.size(); }

private:
  class channel;
  using room_ptr = std::shared_ptr<redis_room>;

  // redis_observer
  void on_up() override;
  void on_down(std::string_view why) override;
  void on_subscribed(std::string_view channel) override;
  void on_message(std::string_view channel, std::string_view payload) override;
  void on_messages_end() override;

  [[nodiscard]] redis_room* find(std::string_view name);
  redis_room& add_room(std::string_view name);
  void listen(redis_room& room);
  void close(redis_room& room);
  void charge(redis_room& room, std::size_t bytes);
  void publish_unordered(std::string_view room, const publication& message, std::string_view key,
                         publish_handler handler);
  [[nodiscard]] publish_outcome outcome_of_unordered(redis_errc error, const redis_reply& reply);
  [[nodiscard]] broker_errc fault_of(redis_errc error, const redis_reply& reply);
  [[nodiscard]] history_answer read_history(const history_request& request, redis_errc error,
                                            const redis_reply& reply);
  void forget(redis_room& room);
  [[nodiscard]] bool has_place_for(std::size_t bytes);
  [[nodiscard]] redis_room* room_of_channel(std::string_view channel);
  void note_busy(redis_room& room);
  void send_soon();
  void send_busy(bool expires);
  void look_at_settings();
  [[nodiscard]] std::chrono::milliseconds
  longest_meta_ttl(std::span<const room_ptr> rooms) const noexcept;
  void look_at_rooms();
  void leave_channels(clock::time_point now);
  void keep_windows_in_limit();
  void drop_windows(std::size_t until);
  void note_memory();
  void check_positions(std::span<const room_ptr> rooms, bool is_patient);
  void check_some(const std::vector<room_ptr>& rooms, bool is_patient);
  void complain(std::string_view text);

  boost::asio::io_context& io_;
  const room_settings_source& source_;
  redis_shard shard_;
  control_channels control_;
  redis_room_services services_;
  std::size_t channel_name_begin_; // where the room's name begins in its channel's
  redis_probe_room probe_room_;
  housekeeping_faults faults_;
  moderation_store moderation_;
  redis_presence presence_;
  redis_reaper reaper_;
  std::function<std::string()> describe_node_;
  std::function<void(redis_roster::roster&&)> tell_roster_;
  std::vector<std::string> living_; // the nodes, as the last renewal of the leases has told
  redis_roster roster_;
  name_map<room_ptr> rooms_;
  std::size_t rooms_cost_ = 0; // of memory
  std::vector<room_ptr> busy_; // may have something to send
  std::function<void()> batch_end_;
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
  clock::time_point last_complaint_{};
  std::uint64_t unspoken_complaints_ = 0;
  std::uint32_t ticks_ = 0;
  clock::time_point resumed_at_{}; // reading of channels
  bool wants_notes_ = true;
  bool has_old_nodes_ = false;
  bool is_paused_ = false;
  bool is_stopped_ = false;
  bool is_send_posted_ = false;
};

} // namespace canang::cluster
