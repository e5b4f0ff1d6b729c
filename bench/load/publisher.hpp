#pragma once

#include <cstdint>
#include <vector>

namespace canang::load {

/// A member that publishes, and how far it is.
struct publisher {
  std::uint32_t connection = 0; ///< index into the worker's connections
  std::uint32_t room = 0;
  std::uint32_t number = 0;  ///< within the room
  std::uint32_t sent = 0;    ///< messages; the next sequence
  std::uint32_t echoed = 0;  ///< all before this one came back, or were given up
  std::uint32_t window = 0;  ///< closed loop: most messages in flight
  std::uint32_t limit = ~0U; ///< messages in all
  std::uint64_t progress_ns = 0;

  bool may_send() const noexcept { return sent < limit && sent - echoed < window; }
};

/// The timetable of an open loop: message k is due at start + k x interval, however late the
/// messages before it left. So a stall of the server is counted in every message that it delayed
/// ("coordinated omission", Gil Tene).
class pacer {
public:
  pacer() = default;
  /// `rate_per_s` is the share of one worker; `offset` (0 to 1) shifts it against other workers.
  pacer(std::uint64_t start_ns, double rate_per_s, double offset) noexcept
    : start_ns_(start_ns), interval_ns_(1e9 / rate_per_s), offset_(offset) {}

  bool is_active() const noexcept { return interval_ns_ > 0; }
  /// When the next message is due.
  std::uint64_t due_ns() const noexcept {
    return start_ns_
           + static_cast<std::uint64_t>((static_cast<double>(next_) + offset_) * interval_ns_);
  }
  std::uint64_t next() const noexcept { return next_; }
  void advance() noexcept { ++next_; }

private:
  std::uint64_t start_ns_ = 0;
  std::uint64_t next_ = 0;
  double interval_ns_ = 0;
  double offset_ = 0;
};

} // namespace canang::load
