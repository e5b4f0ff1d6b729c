#pragma once

#include "cluster/broker.hpp"
#include "cluster/local_presence.hpp"
#include "cluster/name_map.hpp"
#include "cluster/recent_publications.hpp"

#include <boost/container/deque.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
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
  /// Bytes of payload kept in all; above it the room longest without a publication loses its history.
  std::size_t total_bytes = 256UL * 1024 * 1024;
  /// How long an idempotency key is known, and how many of them a room.
  std::chrono::milliseconds idempotency_ttl{300'000};
  std::size_t idempotency_keys = 4096;
};

/// The broker of a node that runs alone: everything in memory, every answer at once.
///
/// A room keeps its epoch and offsets as long as it has a subscriber, and for the history's lifetime
/// after that. Owned by a loop, used on its thread only.
class memory_broker final : public broker {
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

  /// Forgets what is over its lifetime. To be called about once a second.
  void expire();

  /// Bytes of payload kept.
  [[nodiscard]] std::size_t history_bytes() const noexcept { return total_bytes_; }

  /// Rooms known, with or without a subscriber.
  [[nodiscard]] std::size_t room_count() const noexcept { return streams_.size(); }

private:
  struct idempotent_publish {
    std::uint64_t offset;
    clock::time_point expires_at;
  };

  /// A room's publications and its place in the order of last use.
  struct stream {
    const std::string* name = nullptr; // its key in `streams_`
    std::string epoch;
    std::uint64_t offset = 0;
    recent_publications recent;
    clock::time_point expires_at;
    room_subscriber* subscriber = nullptr;
    name_map<idempotent_publish> keys;
    boost::container::deque<std::string> key_order; // oldest first
    std::list<stream*>::iterator recency;
    std::list<stream*>::iterator history_place; // where `is_in_history_order`
    bool is_in_history_order = false;
  };

  using stream_map = name_map<stream>;

  stream& stream_of(std::string_view room);
  void store(stream& room, publication_ptr message);
  void publish_event(std::string_view room, publication_kind kind, std::string&& member);
  void remember_key(stream& room, std::string_view key);
  void forget_old_keys(stream& room, clock::time_point now);
  void drop_history(stream& room);
  void keep_total_in_limit(const stream& latest);

  memory_broker_options options_;
  history_limits limits_;
  std::function<clock::time_point()> now_;
  stream_map streams_;
  std::list<stream*> by_recency_; // longest without a publication first
  std::list<stream*> by_history_; // the same, of those that have a history
  std::size_t total_bytes_ = 0;
  local_presence presence_;
};

} // namespace canang::cluster
