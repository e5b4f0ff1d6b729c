#include "cluster/partitions.hpp"

namespace canang::cluster {

namespace {

/// FNV-1a, then the finaliser of MurmurHash3: FNV alone leaves the low bits of short names alike.
std::uint64_t stable_hash(std::string_view text, std::uint64_t seed = 0) noexcept {
  std::uint64_t hash = 0xCBF29CE484222325ULL ^ seed;
  for (const char c : text)
    hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001B3ULL;
  hash = (hash ^ (hash >> 33U)) * 0xFF51AFD7ED558CCDULL;
  hash = (hash ^ (hash >> 33U)) * 0xC4CEB9FE1A85EC53ULL;
  return hash ^ (hash >> 33U);
}

} // namespace

partition_id partition_of(std::string_view room) noexcept {
  return static_cast<partition_id>(stable_hash(room) % partition_count);
}

partition_map::partition_map(std::span<const std::string> shards) {
  for (std::size_t partition = 0; partition < partition_count; ++partition) {
    std::uint64_t highest = 0;
    for (std::size_t shard = 0; shard < shards.size(); ++shard) {
      const auto weight = stable_hash(shards[shard], (partition + 1) * 0x9E3779B97F4A7C15ULL);
      if (shard != 0 && weight <= highest)
        continue;
      highest = weight;
      shards_[partition] = shard;
    }
  }
}

} // namespace canang::cluster
