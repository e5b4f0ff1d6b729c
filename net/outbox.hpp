#pragma once

#include "net/frame_buffer.hpp"

#include <boost/system/error_code.hpp>

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
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

/// What a client's socket did not take yet: slices of shared buffers, in order, bounded in bytes.
///
/// Each slice is made of whole frames, and a slice is taken or refused whole, so the bytes that reach
/// the client are whole frames in order whatever the socket does. Small slices count for more than
/// their bytes against the limit, as they do in memory. Owned by a session, on its loop.
/// An empty outbox holds no memory of its own.
class outbox {
public:
  explicit outbox(std::size_t max_bytes) noexcept : max_bytes_(max_bytes) {}

  /// Sends bytes [`from`, `to`) of `buffer` to `sink`, behind all that waits already. What the sink
  /// does not take is kept. Where that would lift the outbox over its limit, the slice is dropped; of
  /// a slice that is with the kernel in part the rest is kept all the same, so that a close frame can
  /// follow it. On a write fault `ec` is set and the slice counts as dropped.
  send_status send(byte_sink& sink, const frame_buffer_ptr& buffer, std::size_t from,
                   std::size_t to, boost::system::error_code& ec);

  /// Keeps [`from`, `to`), the rest of a slice that is with the kernel in part. The outbox is empty.
  /// @returns dropped when it is over the limit; it is kept all the same.
  send_status keep_rest(const frame_buffer_ptr& buffer, std::size_t from, std::size_t to);

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

  [[nodiscard]] bool empty() const noexcept { return bytes_ == 0; }

  /// Bytes waiting.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  /// What counts against the limit: the bytes that wait, and the overhead of their slices.
  [[nodiscard]] std::size_t held_bytes() const noexcept;

  [[nodiscard]] std::size_t max_bytes() const noexcept { return max_bytes_; }

  /// An empty one with the same limits.
  [[nodiscard]] outbox another() const noexcept { return outbox{max_bytes_}; }

private:
  struct slice {
    frame_buffer_ptr buffer;
    std::uint32_t from;
    std::uint32_t to;
  };

  send_status send_within(std::size_t limit, byte_sink& sink, const frame_buffer_ptr& buffer,
                          std::size_t from, std::size_t to, boost::system::error_code& ec);
  void consume(std::size_t bytes) noexcept;

  std::vector<slice> slices_;
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::uint32_t first_ = 0;       // index of the first slice still waiting
  bool first_is_started_ = false; // some bytes of it are with the kernel already
};

} // namespace canang::net
