#pragma once

#include "net/frame_buffer.hpp"

#include <cstddef>
#include <memory>

namespace canang::net {

/// A long answer whose frames are made only as the client's socket takes them.
///
/// Whoever makes a source counts what it and its pieces take in memory, since others may share it.
/// Owned by the `send_queue` that it waits in, used on its loop.
class frame_source {
public:
  frame_source() = default;
  frame_source(const frame_source&) = delete;
  frame_source& operator=(const frame_source&) = delete;
  virtual ~frame_source() = default;

  /// The next piece: whole frames, never empty; null when there are no more. Asked for when the kernel
  /// has the piece before, or never again. A piece does not change while anyone refers to it.
  [[nodiscard]] virtual frame_buffer_ptr next() = 0;

  /// Whether `next` may be asked. One that is not ready holds up all that waits behind it; who made it sees to it that it
  /// becomes so, and then tells the session (`session::go_on_sending`).
  [[nodiscard]] virtual bool is_ready() const noexcept { return true; }

  /// Bytes that stay in memory for as long as this source is there, also where others share them.
  [[nodiscard]] virtual std::size_t pinned_bytes() const noexcept = 0;
};

using frame_source_ptr = std::unique_ptr<frame_source>;

} // namespace canang::net
