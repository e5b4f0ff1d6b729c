#pragma once

#include "cluster/feed.hpp"
#include "cluster/partitions.hpp"
#include "cluster/redis/shard.hpp"
#include "cluster/room_settings.hpp"
#include "cluster/rooms/broker_metrics.hpp"
#include "cluster/rooms/housekeeping_faults.hpp"
#include "cluster/rooms/publish_queue.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace canang::cluster {

/// What a broker on Redis keeps beside what the settings of a room say, and how long it waits.
struct redis_broker_options {
  /// How much longer than its history a room's position is kept after its last use, so that a client of
  /// the same epoch is not told of a loss when all that has happened is that everybody slept.
  std::chrono::milliseconds position_extra_ttl{3'600'000};
  /// How long an idempotency key is known.
  std::chrono::milliseconds idempotency_ttl{300'000};
  /// How long a publish or a join waits while Redis is away.
  std::chrono::milliseconds publish_timeout{2000};
  /// Publishes that may wait meanwhile, in bytes.
  std::size_t publish_buffer_bytes = 64UL * 1024 * 1024;
  /// How long a channel is kept after the last local member has gone.
  std::chrono::milliseconds unsubscribe_delay{5000};
  /// Bytes of memory that what is kept for joiners may take, of all rooms of the shard.
  std::size_t window_total_bytes = 256UL * 1024 * 1024;
  /// Compare the life of Redis' data (its replication id) with what a room was written under. Without it
  /// a failover to a replica that lagged goes unnoticed.
  bool uses_lineage = true;
  /// Those that this Redis has, the same on all nodes; none: all of them.
  std::vector<partition_id> partitions{};
  /// Rooms known here above which those without members are let go at once. 0: no limit.
  std::uint64_t max_rooms = 0;
  /// Write what members are told beside publications: all nodes can read it. See `redis_broker::write_notes`.
  bool writes_notes = true;
};

/// What the rooms of a broker share. Outlives them.
struct redis_room_services {
  redis_shard& shard;
  redis_broker_options options;
  std::shared_ptr<const room_settings_table> settings; ///< those in force
  std::string prefix;
  std::uint64_t origin = 0; ///< of this run of this node, in envelopes
  broker_metrics& metrics;
  std::function<std::chrono::steady_clock::time_point()> now;
  std::uint64_t batches = 0;                        ///< sequence of the last one
  std::size_t buffered_bytes = 0;                   ///< of publishes without an answer
  std::size_t windows_cost = 0;                     ///< of memory, all windows
  std::function<void(std::string_view)> complain{}; ///< logs a refusal of Redis', not too often
  /// Counts and logs what is refused that nobody waits for.
  std::function<void(housekeeping, std::string_view)> note_refusal = [](auto, auto) {};
  std::string node{}; ///< this run of this node, for Redis

  [[nodiscard]] std::vector<partition_id> partitions() const;

  /// So much more waits for Redis, or so much less.
  void add_buffered(std::size_t bytes) noexcept { set_buffered(buffered_bytes + bytes); }
  void subtract_buffered(std::size_t bytes) noexcept { set_buffered(buffered_bytes - bytes); }

private:
  void set_buffered(std::size_t bytes) noexcept {
    buffered_bytes = bytes;
    metrics.buffered_bytes.set(bytes);
  }
};

/// The channel of a room: `prefix:{pNN}:c:room`, and where the database is not 0 `prefix:{pNN}:cDB:room`,
/// since all databases of a server share its channels.
[[nodiscard]] std::string redis_channel(const redis_room_services& services, std::string_view room);

/// One room on Redis: its keys, its feed, its publishes. Lives from the first local member until some
/// time after the last one, or as long as what was published from outside has no answer; its pending commands keep
/// it alive. On the broker's thread.
class redis_room final : public std::enable_shared_from_this<redis_room>, feed_sink {
public:
  using clock = std::chrono::steady_clock;

  redis_room(redis_room_services& services, std::string name);
  redis_room(const redis_room&) = delete;
  redis_room& operator=(const redis_room&) = delete;

  /// Who hears of it; null for nobody.
  void set_subscriber(room_subscriber* subscriber);

  /// Whether the broker looks after what it has to send.
  bool is_listed = false;

  /// Whether its channel is subscribed to. Of a room that is known only for what is published from outside it is
  /// not; then `charged_bytes` are what the room itself counts against the publish buffer.
  bool listens = false;
  std::size_t charged_bytes = 0;

  [[nodiscard]] bool has_subscriber() const noexcept { return subscriber_ != nullptr; }
  [[nodiscard]] clock::time_point left_at() const noexcept { return left_at_; }

  /// Changes with each subscriber, and with its end.
  [[nodiscard]] std::uint32_t subscriber_life() const noexcept { return subscriber_life_; }

  /// The subscriber is told of the outcome; or the handler, of one from outside.
  void publish(std::shared_ptr<publication> message, std::string_view key,
               publish_handler handler = {});
  void recover(const recover_request& request, page_handler handler);

  /// Answers all publishes and joins that wait: nothing comes any more.
  void give_up();

  void on_subscribed();
  void on_batch(const batch& live);

  /// What the settings in force say of it.
  void settle(const room_settings& settings);

  /// Publications without a place in the order.
  void on_unordered(const batch& live);

  /// What is kept up to there has been removed.
  void on_removed(const position& up_to);

  /// Where Redis says that the room stands; an empty epoch: it cannot be read. With `is_patient` a room
  /// that is merely behind gets some time to catch up by itself.
  void on_position(const position& top, bool is_patient);

  /// Sends what can be sent now.
  void send_pending();

  /// The links are new: what was published meanwhile was missed. @returns whether its position is to be
  /// checked.
  [[nodiscard]] bool has_to_be_checked();

  /// Nobody here is told of the room any more: what Redis keeps for those who were is released, now or
  /// when it can be reached.
  void release();

  /// Time passes: gives up what has waited too long.
  void expire();

  /// Whether there is something to send, to read, or to give up.
  [[nodiscard]] bool is_busy() const noexcept;

  /// Whether the room has to be looked at soon: it seemed to be behind.
  [[nodiscard]] bool is_suspect() const noexcept { return is_suspect_; }
  [[nodiscard]] clock::time_point last_heard() const noexcept { return last_heard_; }

  void forget_window();

  /// Bytes of memory that the room takes, without its recent publications: here, in the broker, among the
  /// channels, and in the bridge. Of one that does not listen it is less.
  [[nodiscard]] std::size_t cost() const noexcept;

  /// About what a room of this name takes that does not listen.
  [[nodiscard]] static std::size_t cost_without_members(std::string_view name) noexcept;

  /// Bytes of memory that its recent publications take.
  [[nodiscard]] std::size_t window_cost() const noexcept { return accounted_window_cost_; }

  /// The broker has let go of it, and another one of its name may come: it does nothing any more, though
  /// a command on its way may hold it for a while.
  void retire();

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const room_settings& settings() const noexcept { return settings_; }
  [[nodiscard]] partition_id partition() const noexcept { return partition_; }
  [[nodiscard]] const std::string& channel() const noexcept { return channel_; }
  [[nodiscard]] const std::string& meta_key() const noexcept { return meta_key_; }
  [[nodiscard]] const std::string& stream_key() const noexcept { return stream_key_; }
  [[nodiscard]] const position& top() const noexcept { return feed_.top(); }
  [[nodiscard]] bool is_live() const noexcept { return feed_.is_live(); }

private:
  // feed_sink
  void on_publication(const publication_ptr& message) override;
  void on_break(const position& from, bool is_lost) override;
  void on_gap(bool is_filled) override;
  void want_page(std::optional<std::uint64_t> after) override;

  void push(queued_publish&& item);
  void send_batch();
  void send_read();
  void send_release();
  void on_batch_reply(redis_errc error, const redis_reply& reply);
  void on_stored(const redis_reply& reply);
  void on_error_reply(std::string_view text);
  void on_read_reply(redis_errc error, const redis_reply& reply);
  void pace_reads(const stored_page& page);
  void forget_position();
  [[nodiscard]] publish_queue::answer_function answer();
  void account_window();
  [[nodiscard]] std::string key(std::string_view kind) const;

  redis_room_services& services_;
  std::string name_;
  partition_id partition_;
  std::string meta_key_;
  std::string stream_key_;
  std::string events_key_;
  std::string channel_;
  room_settings settings_;
  room_subscriber* subscriber_ = nullptr;
  std::uint32_t subscriber_life_ = 0;
  clock::time_point left_at_{};
  clock::time_point last_heard_{};
  clock::time_point waiting_since_{};
  feed feed_;
  publish_queue queue_;
  std::size_t accounted_window_cost_ = 0;
  std::optional<std::optional<std::uint64_t>> wanted_page_; // the feed waits for it
  bool is_reading_ = false;                                 // and the command is on its way
  clock::time_point next_read_at_{};
  std::uint32_t reads_life_ = 0; // answers to reads of an earlier one come too late
  bool is_confirmed_ = false;    // its channel was, once
  bool is_held_ = false;         // by us, in Redis: as far as we know
  bool owes_release_ = false;
  bool is_suspect_ = false;
  bool is_retired_ = false;
};

/// `KIND` of a room's keys and channels: `prefix:{pNN}:KIND:room`.
[[nodiscard]] std::string redis_key(std::string_view prefix, partition_id partition,
                                    std::string_view kind, std::string_view rest);

} // namespace canang::cluster
