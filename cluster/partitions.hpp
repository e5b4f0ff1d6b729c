#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace canang::cluster {

/// A room belongs to one of so many partitions, and a partition to a shard. The number is part of what
/// nodes agree on: it never changes.
inline constexpr std::size_t partition_count = 64;

using partition_id = std::uint32_t;

/// The same on every node, machine and version.
[[nodiscard]] partition_id partition_of(std::string_view room) noexcept;

/// Which shard has which partition: rendezvous hashing, so that of n shards one more takes a partition
/// in n + 1 from each of the others and moves nothing between them.
class partition_map {
public:
  /// `shards` are their identities; the order does not matter.
  explicit partition_map(std::span<const std::string> shards);

  /// An index into `shards`.
  [[nodiscard]] std::size_t shard_of(partition_id partition) const noexcept {
    return shards_[partition];
  }
  [[nodiscard]] std::size_t shard_of(std::string_view room) const noexcept {
    return shards_[partition_of(room)];
  }

private:
  std::array<std::size_t, partition_count> shards_{};
};

} // namespace canang::cluster
