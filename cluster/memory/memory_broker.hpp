#pragma once

#include "base/name_map.hpp"
#include "cluster/broker.hpp"
#include "cluster/local_presence.hpp"
#include "cluster/memory/idempotency_keys.hpp"
#include "cluster/memory/room_keeper.hpp"
#include "cluster/recent_publications.hpp"

#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace canang::cluster {

/// What a memory broker keeps.
struct memory_broker_options {
  /// Messages kept a room; joins and leaves besides.
  std::size_t history_size = 128;
  /// Bytes of messages' payload kept a room.
  std::size_t history_bytes = 512 * 1024;
  /// A room's history is forgotten this long after its last publication.
  std::chrono::milliseconds history_ttl{300'000};
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
/// A room keeps its epoch and offsets as long as it has a subscriber, and for the history's lifetime
/// after that; one in which nothing was ever published goes with its subscriber. Owned by a loop, used on
/// its thread only.
class memory_broker final : public broker, public room_keeper {
public:
  using clock = std::chrono::steady_clock;

  /// `now` is asked for the time at each call; it lets tests move the clock.
  memory_broker(const memory_broker_options& options, std::function<clock::time_point()> now,
                const presence_options& presence = {});
  ~memory_broker() override;

  void subscribe(std::string_view room, room_subscriber& subscriber) override;
  void unsubscribe(std::string_view room) override;
  void publish(std::string_view room, std::shared_ptr<publication> message,
               std::string_view idempotency_key) override;
  void recover(std::string_view room, const recover_request& request,
               history_handler handler) override;

  void note_member(std::string_view room, const local_member& who, bool is_here) override;
  void report(std::string_view room, bool with_members, report_handler handler) override;

  [[nodiscard]] bool claim(std::string_view room) override;
  [[nodiscard]] std::size_t idle_count() const noexcept override;
  std::size_t forget_rooms(std::size_t most) override;
  std::size_t shed(std::size_t bytes) override;

  /// Forgets what is over its lifetime. To be called about once a second.
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
  using list_hook =
    boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

  /// A room's publications and its places in the orders of last use.
  struct stream {
    const std::string* name = nullptr; // its key in `streams_`
    std::string epoch;
    std::uint64_t offset = 0;
    recent_publications recent;
    clock::time_point expires_at;
    room_subscriber* subscriber = nullptr;
    bool is_taken = false; // has a subscriber, or is about to have one
    bool has_members = false;
    std::unique_ptr<idempotency_keys> keys; // most rooms have none
    std::size_t counted_cost = 0;           // of the two, in `total_cost_`
    list_hook recency;                      // in `by_recency_`
    list_hook place;                        // in one of the lists below
  };

  template <list_hook stream::*Hook>
  using stream_list =
    boost::intrusive::list<stream, boost::intrusive::member_hook<stream, list_hook, Hook>,
                           boost::intrusive::constant_time_size<false>>;

  stream& stream_of(std::string_view room);
  [[nodiscard]] static std::size_t cost_of(const stream& room) noexcept;
  void begin_to_store(stream& room);
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
  history_limits limits_;
  std::function<clock::time_point()> now_;
  stream_list<&stream::recency> by_recency_; // longest without a publication first
  // Each room is in one of these, or in none when it is taken and keeps nothing. In each the one
  // longest without a publication or a subscriber is the first.
  stream_list<&stream::place> bare_;      // nobody is there, and nothing can be recovered
  stream_list<&stream::place> abandoned_; // nobody is there
  stream_list<&stream::place> lingering_; // it is taken, but has no members
  stream_list<&stream::place> attended_;
  name_map<stream> streams_;
  std::size_t taken_count_ = 0;
  std::size_t names_cost_ = 0;  // of all rooms, what they take outside
  std::size_t total_bytes_ = 0; // of payload
  std::size_t total_cost_ = 0;
  std::size_t idle_cost_ = 0; // of `total_cost_`, in rooms that are not taken
  forgotten_rooms forgotten_;
  local_presence presence_;
};

} // namespace canang::cluster
