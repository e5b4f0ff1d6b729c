#pragma once

#include "base/name_map.hpp"
#include "cluster/broker.hpp"
#include "cluster/local_presence.hpp"
#include "cluster/memory/idempotency_keys.hpp"
#include "cluster/memory/room_keeper.hpp"
#include "cluster/recent_publications.hpp"
#include "cluster/room_settings.hpp"

#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>

namespace canang::cluster {

/// What a memory broker keeps, beside what the settings of a room say.
struct memory_broker_options {
  /// Bytes of memory that all rooms' histories and idempotency keys may take, overhead included. Above it
  /// rooms lose both: those that nobody is in first, and of either kind the one longest without a
  /// publication.
  std::size_t total_bytes = 256UL * 1024 * 1024;
  /// How long an idempotency key is known, and how many of them a room.
  std::chrono::milliseconds idempotency_ttl{300'000};
  std::size_t idempotency_keys = 4096;
};

/// How many rooms lost what was kept of them before its time, and why.
struct forgotten_rooms {
  std::uint64_t for_budget = 0; ///< history and keys: all histories were too large
  std::uint64_t for_rooms = 0;  ///< everything: there were too many rooms
  std::uint64_t for_memory = 0; ///< everything: the node's memory was over its limit
};

/// The broker of a node that runs alone: everything in memory, every answer at once.
///
/// A room keeps its epoch and offsets as long as it has a channel, and for the history's lifetime after that
/// or after what is published in it from outside; one in which nothing was ever published goes with its channel.
///
/// What the settings say of a room is looked up once. When they are replaced, which is seen within a second, a room
/// that is used is looked up anew, the others little by little; the lifetime of its history then begins anew. Owned by
/// a loop, used on its thread only.
class memory_broker : public broker, public room_keeper {
public:
  using clock = std::chrono::steady_clock;

  /// `now` is asked for the time at each call; it lets tests move the clock. `settings` outlive it.
  memory_broker(const memory_broker_options& options, std::function<clock::time_point()> now,
                const room_settings_source& settings, const presence_options& presence = {});
  ~memory_broker() override;

  [[nodiscard]] std::unique_ptr<room_channel> open(std::string_view room,
                                                   room_subscriber& subscriber) override;
  void publish(std::string_view room, std::shared_ptr<publication> message,
               const publish_options& options, publish_handler handler) override;
  void history(std::string_view room, const history_request& request,
               history_handler handler) override;
  void remove_history(std::string_view room, removal_handler handler) override;
  void report(std::string_view room, bool with_members, report_handler handler) override;
  void list(const room_list_request& wanted, room_list_handler handler) override;

  [[nodiscard]] bool claim(std::string_view room) override;
  [[nodiscard]] bool keeps(std::string_view room) const noexcept override;
  [[nodiscard]] std::size_t idle_count() const noexcept override;
  std::size_t forget_rooms(std::size_t most) override;
  std::size_t shed(std::size_t bytes) override;

  /// Forgets what is over its lifetime, and looks at the settings. To be called about once a second.
  void expire();

  /// Bytes of payload kept.
  [[nodiscard]] std::size_t history_bytes() const noexcept { return total_bytes_; }

  /// Bytes of memory that histories and idempotency keys take; and how many of them are of rooms without
  /// a subscriber.
  [[nodiscard]] std::size_t history_cost() const noexcept { return total_cost_; }
  [[nodiscard]] std::size_t idle_history_cost() const noexcept { return idle_cost_; }

  /// Bytes of memory that the rooms themselves and their presence take.
  [[nodiscard]] std::size_t rooms_cost() const noexcept;

  /// Rooms known, with or without a subscriber.
  [[nodiscard]] std::size_t room_count() const noexcept { return streams_.size(); }

  [[nodiscard]] const forgotten_rooms& forgotten() const noexcept { return forgotten_; }

private:
  class channel;

  using list_hook =
    boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

  struct policy;

  /// A room's publications and its places in the orders of last use.
  struct stream {
    const std::string* name = nullptr; // its key in `streams_`
    std::string epoch;
    std::uint64_t offset = 0;
    recent_publications recent;
    clock::time_point expires_at;
    channel* open = nullptr;   // by it a subscriber hears of the room
    std::uint32_t life = 0;    // changes with each beginning and end of one
    std::uint32_t settled = 0; // by which settings, in their order, it has its policy
    policy* kept_by = nullptr;
    bool is_taken = false; // has a channel, or is about to have one
    bool has_members = false;
    std::unique_ptr<idempotency_keys> keys; // most rooms have none
    std::size_t counted_cost = 0;           // of the two, in `total_cost_`
    list_hook recency;                      // in its policy's `rooms`
    list_hook place;                        // in one of the lists below
  };

  template <list_hook stream::*Hook>
  using stream_list =
    boost::intrusive::list<stream, boost::intrusive::member_hook<stream, list_hook, Hook>,
                           boost::intrusive::constant_time_size<false>>;

  /// What is kept of rooms that have the same settings, and these: longest without a publication first.
  struct policy {
    room_settings settings;
    history_limits limits;
    stream_list<&stream::recency> rooms;
  };

  stream& stream_of(std::string_view room);
  [[nodiscard]] policy& policy_of(std::string_view room);
  void settle(stream& room);
  void look_at_settings();
  void settle_some();
  void expire_rooms(policy& of_policy, clock::time_point now);
  [[nodiscard]] static std::size_t cost_of(const stream& room) noexcept;
  void close(stream& room);
  [[nodiscard]] static bool is_duplicate(const stream& room, std::string_view key,
                                         publish_outcome& into);
  void remember_key(stream& room, std::string_view key, std::uint64_t offset);
  static void tell(const stream& room, const publication_ptr& message);
  publish_outcome publish_in(stream& room, std::shared_ptr<publication> message,
                             std::string_view idempotency_key);
  publish_outcome publish_live(std::string_view room, std::shared_ptr<publication> message,
                               std::string_view idempotency_key);
  [[nodiscard]] history_page recover(stream& room, const recover_request& request);
  void note_member(stream& room, const local_member& who, bool is_here);
  void freshen(stream& room, clock::time_point now);
  void begin_to_store(stream& room);
  void store_next(stream& room, std::shared_ptr<publication> message);
  void store(stream& room, publication_ptr message);
  void publish_event(std::string_view room, publication_kind kind, std::string&& member);
  void forget_old_keys(stream& room, clock::time_point now);
  void take(stream& room);
  void account(stream& room);
  void put_in_place(stream& room);
  void drop_history(stream& room);
  void drop_all(stream& room);
  void forget(stream& room);
  [[nodiscard]] stream* first_idle() noexcept;
  [[nodiscard]] stream* first_to_lose(const stream& latest) noexcept;
  void keep_total_in_limit(stream& latest);

  memory_broker_options options_;
  std::function<clock::time_point()> now_;
  const room_settings_source& source_;
  std::shared_ptr<const room_settings_table> table_;
  std::uint32_t settings_count_ = 1; // that were in force
  std::list<policy> policies_;       // few: of each namespace one
  std::size_t settled_buckets_ = 0;  // of `streams_`, since the last settings came
  std::size_t buckets_ = 0;          // of how many; 0: all are settled
  // Each room is in one of these, or in none when it is taken and keeps nothing. In each the one
  // longest without a publication or a subscriber is the first.
  stream_list<&stream::place> bare_;      // nobody is there, and nothing can be recovered
  stream_list<&stream::place> abandoned_; // nobody is there
  stream_list<&stream::place> lingering_; // it is taken, but has no members
  stream_list<&stream::place> attended_;
  name_map<stream> streams_;
  std::size_t taken_count_ = 0;
  std::size_t open_count_ = 0;
  std::size_t names_cost_ = 0;  // of all rooms, what they take outside
  std::size_t total_bytes_ = 0; // of payload
  std::size_t total_cost_ = 0;
  std::size_t idle_cost_ = 0; // of `total_cost_`, in rooms that are not taken
  forgotten_rooms forgotten_;
  local_presence presence_;
};

} // namespace canang::cluster
