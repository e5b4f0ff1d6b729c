#pragma once

#include "cluster/broker.hpp"
#include "cluster/envelope.hpp"
#include "cluster/history.hpp"
#include "cluster/publication.hpp"
#include "cluster/recent_publications.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace canang::cluster {

/// What a feed tells, and what it asks for.
class feed_sink {
public:
  virtual void on_publication(const publication_ptr& message) = 0;
  virtual void on_break(const position& from, bool is_lost) = 0;

  /// Publications after a break in the offsets were fetched (or had to be given up).
  virtual void on_gap(bool is_filled) = 0;

  /// The room has to be read: all that is kept after `after`, or with nothing only its position. To be
  /// answered by one call of `on_page` or `on_read_failed`; until then the feed asks for no more.
  virtual void want_page(std::optional<std::uint64_t> after) = 0;

protected:
  ~feed_sink() = default;
};

/// Bounds of a feed.
struct feed_limits {
  std::size_t window_size = 128;          ///< messages kept for joiners; joins and leaves besides
  std::size_t window_bytes = 512 * 1024;  ///< of their payloads
  std::size_t most_waiting_batches = 256; ///< live ones, behind a gap that is being read
  std::size_t most_waiting_bytes = 4UL * 1024 * 1024; ///< of memory, overhead included
};

/// Makes one gapless order of what a channel brings: drops what came before, sees what is missing, has
/// it read, and where it cannot be had, says so. Keeps the room's recent publications, from which
/// members that join are served, and has them read once for all that ask for more.
///
/// A state machine without any I/O; owned by a broker's room, on the broker's thread.
class feed {
public:
  using handler = page_handler;

  feed(const feed_limits& limits, feed_sink& sink)
    : limits_(limits),
      history_limits_(history_limits::of(limits.window_size, limits.window_bytes)),
      sink_(sink) {}
  feed(const feed&) = delete;
  feed& operator=(const feed&) = delete;

  /// The channel is subscribed to: asks where the room stands, unless that is known; when nobody is there
  /// who wants to know, only once somebody joins.
  void on_subscribed(bool is_wanted = true);

  /// Nobody is there any more who was told where the room stands: forgets it, fails those that wait, and
  /// asks again when somebody joins; `is_subscribed`: without waiting for `on_subscribed`.
  void begin_again(bool is_subscribed);

  /// What the channel brought.
  void on_batch(const batch& live);

  /// What is kept up to `up_to` has been removed: who joins gets nothing of it, also of what a read brings that began
  /// before.
  void on_removed(const position& up_to);

  /// What `want_page` asked for goes out only now: it serves all that have come until now.
  void on_read_begins() noexcept;

  /// The answer to `want_page`.
  void on_page(stored_page&& page);
  void on_read_failed(broker_errc error);

  /// Where the room is said to stand; a difference is read.
  void on_position(const position& top);

  /// What a joining member is to have first; answered at once from the window where it can be.
  void recover(const recover_request& request, handler answer);

  /// Answers all that wait for a read with an error.
  void fail_waiting(broker_errc error);

  /// How much is kept for joiners from now on.
  void set_window(std::size_t messages, std::size_t bytes);

  /// Drops the window, to save memory; the position stays.
  void forget_window();

  /// Whether the position is known.
  [[nodiscard]] bool is_live() const noexcept { return is_live_; }
  [[nodiscard]] const position& top() const noexcept { return top_; }
  /// Bytes of memory that the recent publications take, overhead included.
  [[nodiscard]] std::size_t window_cost() const noexcept { return window_.cost(); }
  [[nodiscard]] std::size_t waiting_count() const noexcept { return waiting_.size(); }

  /// The offset up to which publications are outside of what `limits.window_bytes` allows.
  [[nodiscard]] std::uint64_t bytes_floor() const noexcept { return window_.bytes_floor(); }

private:
  /// A member that waits for a read.
  struct joiner {
    recover_request request;
    handler answer;
  };

  /// What was read after a joiner came.
  enum class read_since : std::uint8_t {
    none,
    position, ///< where the room stands, and its lineage
    all,      ///< and everything that is kept
  };

  void ask(std::optional<std::uint64_t> after);
  void ask_for_waiting();
  [[nodiscard]] bool needs_all(const joiner& who) const;
  void hold(batch&& live);
  void accept(const batch& live);
  void append(const publication_ptr& message);
  void take_page(stored_page& page);
  void take_continuation(stored_page& page);
  void take_break(stored_page& page);
  void extend_window(const stored_page& page);
  void drain_live();
  void drop_removed();
  void serve(joiner&& who, read_since seen);
  void serve_waiting(std::size_t seen_by_read, read_since seen);
  [[nodiscard]] static const epoch_end* end_of(const stored_page& page, const std::string& epoch);
  [[nodiscard]] std::uint64_t shared_with(const stored_page& page) const;
  [[nodiscard]] bool belongs(const position& since) const;
  [[nodiscard]] history_page page_after(std::uint64_t offset) const;

  feed_limits limits_;
  history_limits history_limits_;
  feed_sink& sink_;
  position top_;
  std::vector<epoch_end> lineage_;
  recent_publications window_;
  position removed_;           // up to where, the last time
  std::vector<batch> live_;    // came while a read was due
  std::size_t live_bytes_ = 0; // of memory
  std::vector<joiner> waiting_;
  std::size_t live_seen_by_read_ = 0; // of `live_`: there before the read that is under way began
  std::size_t waiting_seen_by_read_ = 0;
  bool is_live_ = false;
  bool window_is_all_ = false; // nothing older than the window is kept anywhere
  bool is_reading_ = false;
  bool reads_all_ = false;    // the read that is under way is to bring all that is kept
  bool has_to_check_ = false; // something came that the read under way may not have seen
};

} // namespace canang::cluster
