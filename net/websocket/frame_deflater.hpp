#pragma once

#include "net/compression.hpp"
#include "net/metrics.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace canang::net {

/// Compresses messages that are on their way to all members of a room that agreed on it (RFC 7692, 7.2.1): each by
/// itself, once for all of them. Its memory is had with the first message, and is the same whatever comes: some 260 KB
/// for `deflate`, 135 KB for `narrow_deflate`.
///
/// One a loop, used on its thread.
class frame_deflater {
public:
  explicit frame_deflater(loop_metrics& metrics) noexcept;
  frame_deflater(const frame_deflater&) = delete;
  frame_deflater& operator=(const frame_deflater&) = delete;
  ~frame_deflater();

  /// Puts in the place of each frame of `frames` from byte `from` on the same message compressed, where its payload
  /// has `least_bytes` or more and becomes shorter. There are only whole data frames, as `append_frame` makes them.
  /// @param how not `none`.
  /// @returns bytes of payload that were tried: what it costs.
  std::size_t deflate(std::string& frames, std::size_t from, std::size_t least_bytes,
                      compression how);

private:
  struct stream;

  [[nodiscard]] stream* stream_of(compression how);
  [[nodiscard]] bool deflate_one(stream& with, std::string_view payload);

  loop_metrics& metrics_;
  std::array<std::unique_ptr<stream>, compression_count - 1> streams_;
  std::string packed_;   // the message at hand
  std::string replaced_; // the frames at hand
};

} // namespace canang::net
