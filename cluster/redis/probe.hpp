#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace canang::cluster {

/// What the probe of a shard has sent and seen come back. Knows no socket. Owned by a shard.
class redis_probe {
public:
  using clock = std::chrono::steady_clock;

  redis_probe(std::chrono::milliseconds interval, std::chrono::milliseconds timeout);

  /// Begins on a new pair of links: what was sent on others counts no more.
  void begin(clock::time_point now);

  /// The payload of the next probe, which goes out now.
  [[nodiscard]] std::string send(clock::time_point now);

  /// A message of the probe's channel, which has the payload somewhere in it.
  /// @returns whether it is one that was sent since `begin`.
  bool saw(std::string_view payload);

  /// Whether one has come back since `begin`.
  [[nodiscard]] bool is_back() const noexcept { return is_back_; }

  /// Whether it is time to send the next.
  [[nodiscard]] bool is_due(clock::time_point now) const noexcept;

  /// Whether one, or the first, was not seen in time.
  [[nodiscard]] bool is_overdue(clock::time_point now) const noexcept;

  /// When one of the two may have become true.
  [[nodiscard]] clock::time_point next_check() const noexcept;

private:
  struct sent_probe {
    std::uint64_t number;
    clock::time_point at;
  };

  [[nodiscard]] clock::time_point waiting_since() const noexcept;

  std::chrono::milliseconds interval_;
  std::chrono::milliseconds timeout_;
  std::string nonce_; // tells our own probes from those of another node of the same name
  std::uint64_t number_ = 0;
  std::deque<sent_probe> unseen_; // at most the timeout's worth of them
  clock::time_point begun_at_{};
  clock::time_point sent_at_{};
  bool is_back_ = false;
};

} // namespace canang::cluster
