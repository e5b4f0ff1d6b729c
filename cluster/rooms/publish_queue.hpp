#pragma once

#include "cluster/broker.hpp"
#include "cluster/envelope.hpp"
#include "cluster/publication.hpp"

#include <boost/container/deque.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace canang::cluster {

/// A publish on its way to Redis.
struct queued_publish {
  std::shared_ptr<publication> message;
  std::string key; ///< of idempotency; may be empty
  std::chrono::steady_clock::time_point at;
  std::uint32_t subscriber = 0; ///< which life of the room's actor waits for the answer
  bool is_answered = false;
  bool is_rejected = false; ///< there was no room for it: here only to be answered in its turn
  /// Of one from outside, who gets the answer; else the room's actor does.
  publish_handler handler{};

  /// What it counts against the buffer.
  [[nodiscard]] std::size_t cost() const noexcept { return cost_of(*message, key); }
  [[nodiscard]] static std::size_t cost_of(const publication& message,
                                           std::string_view key) noexcept;
};

/// The publishes of one room that Redis has not answered yet, in order: a batch that is on its way and
/// those that gather behind it. One batch at a time, so that under load batches grow instead of the
/// number of commands, and a batch whose fate is unknown is tried again before anything follows it.
///
/// No I/O; owned by a room of the broker, on the broker's thread.
class publish_queue {
public:
  using clock = std::chrono::steady_clock;
  using answer_function = std::function<void(const queued_publish&, const publish_outcome&)>;

  void push(queued_publish&& item) { waiting_.push_back(std::move(item)); }

  [[nodiscard]] bool empty() const noexcept { return batch_.empty() && waiting_.empty(); }

  /// Whether a batch can go out: there is one, new or to be tried again, and none is on its way.
  [[nodiscard]] bool has_batch_to_send() const noexcept {
    return !is_on_its_way_
           && (!batch_.empty() || (!waiting_.empty() && !waiting_.front().is_rejected));
  }

  /// The batch to be sent now: the one that has to be tried again, or a new one of what waits.
  /// `seen` is the top offset that the room has had for sure.
  std::span<const queued_publish> begin(std::uint64_t sequence, std::uint64_t seen);

  [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }
  [[nodiscard]] std::uint64_t seen() const noexcept { return seen_; }

  /// Whether the batch may have been stored at an earlier try.
  [[nodiscard]] bool may_be_stored() const noexcept { return may_be_stored_; }

  /// The batch is stored: `first` is the offset of the first publication that was stored now, `before`
  /// tells for each key of the batch, in order, where it was used before, or nothing.
  void on_stored(const std::string& epoch, std::uint64_t first, std::span<const position> before,
                 const answer_function& answer);

  /// The batch is not stored, and will not be tried again.
  void on_refused(broker_errc error, const answer_function& answer);

  /// The batch did not get through, or its answer did not; it is tried again.
  void on_lost(bool may_be_stored) noexcept;

  /// Answers the rejected ones and those that wait since before `oldest` with `unavailable`. One that is on its way may still
  /// be stored; one that is not is dropped.
  void expire(clock::time_point oldest, const answer_function& answer);

  /// Answers all that have no answer yet with `unavailable`, and forgets them.
  void give_up(const answer_function& answer);

private:
  void drop_answered_batch();

  std::vector<queued_publish> batch_;
  boost::container::deque<queued_publish> waiting_;
  std::uint64_t sequence_ = 0;
  std::uint64_t seen_ = 0;
  bool is_on_its_way_ = false;
  bool may_be_stored_ = false;
};

} // namespace canang::cluster
