#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace canang::net {

/// Which sessions of a loop may be written to right away, and their descriptors, densely packed.
///
/// A fan-out visits thousands of sessions a turn, each somewhere else in memory. Nearly all of them are
/// open with an empty outbox, and all that a write to those needs is the descriptor: eight bytes here
/// instead of several cache lines there. A session keeps its lane clear exactly while it is open and
/// nothing waits in its outbox. One table a loop, used on its thread only.
class send_lanes {
public:
  /// The lane of a session that has none: always to be written to by the session itself.
  static constexpr std::uint32_t none = UINT32_MAX;

  /// A lane, blocked.
  [[nodiscard]] std::uint32_t acquire() {
    if (free_.empty()) {
      descriptors_.push_back(blocked);
      free_.reserve(descriptors_.size()); // so that release never allocates
      return static_cast<std::uint32_t>(descriptors_.size() - 1);
    }
    const auto lane = free_.back();
    free_.pop_back();
    return lane;
  }

  void release(std::uint32_t lane) noexcept {
    descriptors_[lane] = blocked;
    free_.push_back(lane);
  }

  void clear(std::uint32_t lane, int descriptor) noexcept { descriptors_[lane] = descriptor; }
  void block(std::uint32_t lane) noexcept { descriptors_[lane] = blocked; }

  /// The descriptor to write to, or a negative number when the lane is blocked.
  [[nodiscard]] int descriptor(std::uint32_t lane) const noexcept {
    return lane == none ? blocked : descriptors_[lane];
  }

private:
  static constexpr int blocked = -1;

  std::vector<int> descriptors_;
  std::vector<std::uint32_t> free_;
};

/// Writes to a socket without blocking and without SIGPIPE.
/// @returns the bytes that were taken, or a negative errno.
[[nodiscard]] std::ptrdiff_t write_now(int descriptor, const char* bytes,
                                       std::size_t size) noexcept;

/// The same for `count` pieces, in their order.
[[nodiscard]] std::ptrdiff_t write_now(int descriptor, const iovec* pieces,
                                       std::size_t count) noexcept;

} // namespace canang::net
