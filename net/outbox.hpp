#pragma once

#include "net/frame_buffer.hpp"

#include <boost/system/error_code.hpp>

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace canang::net {

/// What became of something that was given to a bounded queue.
enum class send_status : std::uint8_t {
  sent,    ///< all of it is with the kernel
  queued,  ///< some of it waits in the outbox
  dropped, ///< not taken: over the limit, or the connection is closing
};

/// Where an outbox writes to: a non-blocking socket, or a test's stand-in.
class byte_sink {
public:
  /// Writes what it can of `count` pieces without blocking.
  /// @returns bytes taken; less than all (also 0) means that no more fits now. On a fault sets `ec`.
  virtual std::size_t write_some(const iovec* pieces, std::size_t count,
                                 boost::system::error_code& ec) = 0;

protected:
  ~byte_sink() = default;
};

/// How much may wait in an outbox, behind the slice that is first.
struct outbox_limits {
  std::size_t max_bytes;     ///< more makes the client a slow consumer
  std::size_t cap_bytes = 0; ///< where this is above the limit, more is taken up to here
};

/// What a client's socket did not take yet: slices of buffers, in order, bounded in bytes.
///
/// Each slice is made of whole frames, and a slice is taken or refused whole, so the bytes that reach
/// the client are whole frames in order whatever the socket does.
///
/// **What is held is what is counted.** A slice that is half of its buffer or more shares it with other
/// outboxes: the buffer is trimmed, and counts with all its memory until the slice is written whole. A
/// smaller part would pin all of its buffer, so it is copied: several to one buffer, the tail, which counts in
/// the same way. The rest of a slice that is with the kernel in part is copied only where it is short: many
/// have one of the same buffer. Each slice counts `slice_overhead_bytes` more.
///
/// **One message always fits.** The slice that is first (a turn's frames of a room, or one message) does
/// not count against the limit: it is for what waits on top of it.
///
/// Owned by a session, on its loop. An empty outbox holds no memory of its own.
class outbox {
public:
  explicit outbox(outbox_limits limits) noexcept;
  explicit outbox(std::size_t max_bytes) noexcept : outbox(outbox_limits{max_bytes}) {}

  /// Sends bytes [`from`, `to`) of `buffer` to `sink`, behind all that waits already. What the sink
  /// does not take is kept where the limits allow it, and always where nothing waited before; otherwise
  /// the slice is dropped whole. With a cap above the limit, a slice is also kept that is the first one
  /// over the limit, or stays below the cap: see `is_over_limit`. On a write fault `ec` is set and the
  /// slice counts as dropped.
  send_status send(byte_sink& sink, const frame_buffer_ptr& buffer, std::size_t from,
                   std::size_t to, boost::system::error_code& ec);

  /// The same for some slices in their order, with one write where nothing waits.
  /// @returns how many of them, from the first, are sent or kept.
  std::size_t send(byte_sink& sink, std::span<const frame_slice> slices,
                   boost::system::error_code& ec);

  /// Keeps [`from`, `to`), the rest of a slice that is with the kernel in part. The outbox is empty, so it
  /// always fits.
  void keep_rest(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to);

  /// Writes what waits, as far as `sink` takes it.
  /// @returns bytes written.
  std::size_t flush(byte_sink& sink, boost::system::error_code& ec);

  /// Keeps only the slice that is written in part (its frame must be completed) and drops the rest.
  /// @returns bytes dropped.
  std::size_t drop_unstarted();

  /// Drops everything.
  /// @returns bytes dropped.
  std::size_t clear() noexcept;

  /// Like `send` without the limit: for what is bounded otherwise, such as the one close frame.
  send_status send_unlimited(byte_sink& sink, const frame_buffer_ptr& buffer,
                             boost::system::error_code& ec);

  [[nodiscard]] bool empty() const noexcept { return held_ == 0; }

  /// Bytes waiting. Looks at each slice.
  [[nodiscard]] std::size_t bytes() const noexcept;

  /// What waits as it counts: with what holding it costs.
  [[nodiscard]] std::size_t held_bytes() const noexcept { return held_; }

  /// What of `held_bytes` would stay after `drop_unstarted`.
  [[nodiscard]] std::size_t started_bytes() const noexcept {
    return first_is_started_ ? cost_of_first() : 0;
  }

  /// More waits than `max_bytes`, the first slice not counted.
  [[nodiscard]] bool is_over_limit() const noexcept { return counted_bytes() > limit_; }

  /// What counts against the limit: all but the first slice.
  [[nodiscard]] std::size_t counted_bytes() const noexcept {
    return empty() ? 0 : held_ - cost_of_first();
  }

  [[nodiscard]] std::size_t max_bytes() const noexcept { return limit_; }

  /// An empty one with the same limits.
  [[nodiscard]] outbox another() const noexcept { return outbox{outbox_limits{limit_, cap_}}; }

  /// Puts a slice behind all that waits, without trying to write: for what stands behind something else. So
  /// much counts there, besides what counts here.
  send_status add(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to,
                  std::size_t counted_elsewhere);

private:
  struct slice {
    held_buffer buffer;
    std::uint32_t from;
    std::uint32_t to;
  };

  [[nodiscard]] std::size_t first() const noexcept { return first_; }
  [[nodiscard]] std::size_t cost_of_first() const noexcept;
  [[nodiscard]] bool has_room(std::size_t cost, std::size_t counted) const noexcept;
  std::size_t write_slices(byte_sink& sink, std::span<const frame_slice> slices,
                           boost::system::error_code& ec);
  send_status send_now(byte_sink& sink, const frame_buffer_ptr& buffer, std::size_t from,
                       std::size_t to, boost::system::error_code& ec);
  void keep(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to);
  void keep_first(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to, bool is_rest);
  void keep_shared(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to);
  void keep_copy(const frame_buffer& buffer, std::size_t from, std::size_t to);
  void consume(std::size_t bytes);
  void keep_slices(std::size_t from, std::size_t to);

  std::vector<slice> slices_;
  std::size_t held_ = 0;
  std::uint32_t limit_;
  std::uint32_t cap_;
  std::uint32_t first_ : 31 = 0;      // index of the first slice still waiting
  bool first_is_started_ : 1 = false; // some bytes of it are with the kernel already
};

} // namespace canang::net
