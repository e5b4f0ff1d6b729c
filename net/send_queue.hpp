#pragma once

#include "net/frame_source.hpp"
#include "net/outbox.hpp"

#include <boost/system/error_code.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace canang::net {

/// All that waits for one client, in order: slices of shared buffers in an `outbox`, and long answers as
/// `frame_source`s, of which no more than one piece is encoded at a time.
///
/// Slices count against the limit wherever they stand; sources and their pieces do not, so a client is
/// never a slow consumer for the sake of an answer alone. Most clients never have a source: to them
/// this is an outbox and a null pointer. Owned by a session, on its loop.
class send_queue {
public:
  /// What may wait in slices.
  explicit send_queue(outbox_limits limits) noexcept;
  explicit send_queue(std::size_t max_bytes) noexcept : send_queue(outbox_limits{max_bytes}) {}
  send_queue(const send_queue&) = delete;
  send_queue& operator=(const send_queue&) = delete;
  ~send_queue();

  /// As `outbox::send`, behind all that waits.
  send_status send(byte_sink& sink, const frame_buffer_ptr& buffer, std::size_t from,
                   std::size_t to, boost::system::error_code& ec) {
    return later_ ? queue_last(buffer, from, to) : slices_.send(sink, buffer, from, to, ec);
  }

  /// The same for some slices.
  std::size_t send(byte_sink& sink, std::span<const frame_slice> slices,
                   boost::system::error_code& ec) {
    return later_ ? queue_last(slices) : slices_.send(sink, slices, ec);
  }

  /// As `outbox::send_unlimited`, behind all that waits.
  send_status send_unlimited(byte_sink& sink, const frame_buffer_ptr& buffer,
                             boost::system::error_code& ec);

  /// As `outbox::keep_rest`. The queue is empty.
  void keep_rest(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to) {
    slices_.keep_rest(buffer, from, to);
  }

  /// Puts a source behind all that waits. Nothing is written or encoded before the next `flush`.
  void add(frame_source_ptr source);

  /// Writes what waits, as far as `sink` takes it. Once `share` bytes are written no source is asked for
  /// more: then the queue is paused.
  /// @returns bytes written.
  std::size_t flush(byte_sink& sink, std::size_t share, boost::system::error_code& ec);

  /// Drops what waits for a source that is not ready, with that.
  void drop_unready() noexcept;

  /// Keeps only what is written in part (its frame must be completed), and drops the rest.
  void drop_unstarted();

  /// Drops everything.
  void clear() noexcept;

  [[nodiscard]] bool empty() const noexcept { return slices_.empty() && !later_; }

  /// Whether sources wait.
  [[nodiscard]] bool has_sources() const noexcept { return later_ != nullptr; }

  /// The last `flush` used up its share; nothing says that the sink would take no more, so nobody else
  /// will say when it does.
  [[nodiscard]] bool is_paused() const noexcept;

  /// Bytes that wait in slices.
  [[nodiscard]] std::size_t bytes() const noexcept { return sum(&outbox::bytes); }

  /// The same with what holding them costs.
  [[nodiscard]] std::size_t held_bytes() const noexcept { return sum(&outbox::held_bytes); }

  /// As `outbox::is_over_limit`, over all slices.
  [[nodiscard]] bool is_over_limit() const noexcept {
    return counted_bytes() > slices_.max_bytes();
  }

  /// What of its memory would stay after `drop_unstarted`.
  [[nodiscard]] std::size_t started_bytes() const noexcept;

  /// Bytes that its sources keep in memory, which others may share: says who keeps most, but the sum over all
  /// clients may be more than there is. Whoever makes sources counts them once.
  [[nodiscard]] std::size_t pinned_bytes() const noexcept;

private:
  struct later;

  send_status queue_last(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to);
  std::size_t queue_last(std::span<const frame_slice> slices);
  [[nodiscard]] std::size_t counted_bytes() const noexcept { return sum(&outbox::counted_bytes); }
  [[nodiscard]] std::size_t sum(std::size_t (outbox::*figure)() const noexcept) const noexcept;
  bool go_on(std::size_t written, std::size_t share);
  std::size_t write_piece(byte_sink& sink, boost::system::error_code& ec);

  outbox slices_; // what goes first
  std::unique_ptr<later>
    later_; // the sources, and the slices behind each; null when there are none
};

} // namespace canang::net
