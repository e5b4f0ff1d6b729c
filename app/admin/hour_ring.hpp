#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace canang::admin {

/// What a node has at a moment, and what it has counted since it started.
struct node_totals {
  std::uint64_t connections = 0;
  std::uint64_t rooms = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t publications = 0; ///< since the start, as all that follow
  std::uint64_t deliveries = 0;
  std::uint64_t sent_bytes = 0;
  double cpu_seconds = 0;
};

/// Ten seconds of a node: what it had at their end, and what it did in them, as means a second.
struct hour_sample {
  std::uint64_t connections = 0;
  std::uint64_t rooms = 0;
  std::uint64_t memory_bytes = 0;
  double publications = 0;
  double deliveries = 0;
  double sent_bytes = 0;
  double cpu = 0; ///< cores
};

/// The last hour of a node, for graphs without a database. Takes 23 KiB, whatever happens. Owned by the console, on
/// the internal loop.
class hour_ring {
public:
  using clock = std::chrono::steady_clock;

  static constexpr std::chrono::seconds interval{10};
  static constexpr std::size_t capacity = 360;

  /// Whether it is time for `note`: the figures need not be gathered else.
  [[nodiscard]] bool is_due(clock::time_point now) const noexcept;

  /// Takes the figures of a moment; the first ones only say from where it counts. Where nobody came for longer than an
  /// interval there are gaps. From a time before the last one it begins to count anew, and keeps what it has.
  void note(clock::time_point now, const node_totals& totals);

  /// The oldest one first; nothing where there is a gap.
  [[nodiscard]] std::vector<std::optional<hour_sample>> samples() const;

private:
  void push(const std::optional<hour_sample>& sample) noexcept;
  void begin(clock::time_point now, const node_totals& totals) noexcept;

  std::array<std::optional<hour_sample>, capacity> ring_;
  std::size_t next_ = 0;
  std::size_t size_ = 0;
  bool has_begun_ = false;
  clock::time_point due_at_{};
  clock::time_point last_at_{};
  node_totals last_{};
};

/// By figure: `{"interval":10,"connections":[12,null,14],...}`, with null where there is a gap.
[[nodiscard]] std::string to_json(const hour_ring& ring);

} // namespace canang::admin
