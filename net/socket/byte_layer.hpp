#pragma once

#include <sys/uio.h>

#include <cassert>
#include <cstddef>
#include <memory>
#include <span>

namespace canang::net {

/// What came of a read that does not block.
struct read_result {
  std::ptrdiff_t size =
    0; ///< bytes; 0: the end of the stream; negative: an errno, -EAGAIN: nothing now
  bool is_drained = true; ///< nothing is left until the socket's readiness is told anew
  std::size_t cost = 0; ///< of a turn, whatever the size: what came from the socket, and work on it
};

/// Reads from a socket. A read that comes back short has emptied it, for now.
[[nodiscard]] read_result read_now(int descriptor, std::span<char> into) noexcept;

/// What lies between a socket and its session's bytes, such as TLS. A session without one (plain TCP)
/// reads and writes its socket itself. Owned by the session, on its loop; nothing of it blocks.
class byte_layer {
public:
  virtual ~byte_layer() = default;

  /// Reads the client's bytes into `into`, which may serve for what comes from the socket meanwhile. What
  /// is kept here, decrypted or not, counts as not drained. What costs much may bring little: the result
  /// says what it cost.
  virtual read_result read(int descriptor, std::span<char> into) = 0;

  /// Writes `count` pieces, as far as there is room.
  /// @returns bytes taken, all or some or none, or a negative errno.
  virtual std::ptrdiff_t write(int descriptor, const iovec* pieces, std::size_t count) = 0;

  /// Writes what was taken and is still here, as far as the socket takes it. Called when there is room.
  /// @returns 0, or a negative errno.
  virtual int flush(int descriptor) = 0;

  /// Nothing more will be written: has the layer say so to the client, where it has a word for that. Once.
  virtual void end(int /*descriptor*/) {}

  /// Puts this one above another, which is nearer to the socket. Before it is used; only of those that make
  /// something else of the bytes and leave their transport to others.
  virtual void put_above(std::unique_ptr<byte_layer> /*below*/) { assert(false); }

  /// Whether anything that was taken is still here.
  [[nodiscard]] virtual bool holds_output() const noexcept = 0;

  /// Memory of that, and of what has come and is not whole. Whoever makes a layer says where it is counted.
  [[nodiscard]] virtual std::size_t held_bytes() const noexcept = 0;

  /// Bytes that went to the socket since the last call: a layer may write more than it took.
  [[nodiscard]] virtual std::size_t take_wire_bytes() noexcept = 0;
};

} // namespace canang::net
