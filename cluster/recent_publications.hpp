#pragma once

#include "cluster/publication.hpp"

#include <boost/container/deque.hpp>
#include <boost/container/options.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

namespace canang::cluster {

/// A join or a leave takes no more than so many bytes: a user of 255 bytes, each of them escaped.
inline constexpr std::size_t most_event_bytes = 2048;

/// How many joins and leaves of a room are kept: as many as messages, within as many bytes besides.
[[nodiscard]] std::size_t events_kept(std::size_t messages, std::size_t message_bytes) noexcept;

/// What is kept of a room at most.
struct history_limits {
  std::size_t messages = 0;
  std::size_t message_bytes = 0; ///< of their payloads
  std::size_t events = 0;        ///< joins and leaves
  /// Bytes of memory that all of it may take, overhead included.
  std::size_t cost = std::numeric_limits<std::size_t>::max();

  [[nodiscard]] static history_limits of(std::size_t messages, std::size_t message_bytes) noexcept {
    return {.messages = messages,
            .message_bytes = message_bytes,
            .events = events_kept(messages, message_bytes)};
  }
};

/// The end of a room's history, in order of offsets. Messages on one side, joins and leaves on the other
/// have limits of their own, so that neither displaces the other: all messages behind `floor` are there;
/// where offsets are missing among them, there were joins or leaves. No I/O, no thread of its own.
class recent_publications {
public:
  /// Nothing is kept, and nothing is known of what was up to `offset`.
  void reset(std::uint64_t offset);

  /// What is kept up to `offset` goes.
  void drop_up_to(std::uint64_t offset);

  /// The room's next publication; the oldest go.
  void push_back(publication_ptr message, const history_limits& limits);

  /// Puts publications in front that are older than the floor: all messages behind `floor` are among them.
  /// Takes as many as there is room for.
  void extend(const std::vector<publication_ptr>& older, std::uint64_t floor,
              const history_limits& limits);

  /// Drops the oldest until the rest is within limits, which may have changed.
  void trim(const history_limits& limits);

  /// All messages behind this offset are there.
  [[nodiscard]] std::uint64_t floor() const noexcept { return floor_; }

  /// Messages up to this offset are outside of what `message_bytes` allows.
  [[nodiscard]] std::uint64_t bytes_floor() const noexcept { return bytes_floor_; }
  void forget_bytes_floor() noexcept { bytes_floor_ = 0; }

  [[nodiscard]] bool empty() const noexcept { return messages_.empty() && event_count() == 0; }
  [[nodiscard]] std::size_t message_count() const noexcept { return messages_.size(); }
  [[nodiscard]] std::size_t event_count() const noexcept { return events_ ? events_->size() : 0; }

  /// Bytes of payload, of messages and events.
  [[nodiscard]] std::size_t bytes() const noexcept { return message_bytes_ + event_bytes_; }

  /// Bytes of memory that they take, overhead included: of an empty message some 115.
  [[nodiscard]] std::size_t cost() const noexcept {
    return publications_cost_ + (messages_.empty() ? 0 : list_cost)
           + (events_ ? allocated(sizeof(list)) + list_cost : 0);
  }

  /// What a list takes beside its entries: the blocks at its ends, which are not full, and their table.
  static constexpr std::size_t list_cost = 192;

  /// A publication's place in a list, and its part of the table of blocks.
  static constexpr std::size_t place_cost = sizeof(publication_ptr) + 1;

  /// All that is kept behind `offset`, oldest first.
  [[nodiscard]] std::vector<publication_ptr> after(std::uint64_t offset) const;

  /// The offset behind which the last `count` messages are, and what came among and after them.
  [[nodiscard]] std::uint64_t before_last(std::size_t count) const noexcept;

private:
  /// In blocks of 8: most rooms keep few. `std::deque` takes 576 bytes when empty.
  using list =
    boost::container::deque<publication_ptr, void,
                            boost::container::deque_options_t<boost::container::block_size<8>>>;

  void note_added(const publication& message) noexcept;
  void note_dropped(const publication& message) noexcept;
  void drop_oldest_message();
  void drop_oldest_event();

  list messages_;
  std::unique_ptr<list> events_; // most rooms have none
  std::uint64_t floor_ = 0;
  std::uint64_t bytes_floor_ = 0;
  std::size_t message_bytes_ = 0;
  std::size_t event_bytes_ = 0;
  std::size_t publications_cost_ = 0;
};

} // namespace canang::cluster
