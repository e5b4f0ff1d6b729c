#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace canang {

/// A hash of a name that somebody else chose: SipHash-1-3 with a key that this process drew at random,
/// so that nobody can choose names that meet in one bucket. It differs between processes: what nodes
/// have to agree on is `partition_of`.
[[nodiscard]] std::uint64_t hash_of_name(std::string_view name) noexcept;

/// For simulations, which a seed must repeat: names hash with this key from now on. Only while there is
/// no table of names and one thread.
void fix_name_hash(std::uint64_t key) noexcept;

/// For hash tables that have such names as keys, searched with a view too.
struct name_hash {
  using is_transparent = void;

  // Not noexcept, on purpose: it tells libstdc++ that the hash is worth keeping beside the key, so
  // that a search does not hash what else lies in the bucket.
  std::size_t operator()(std::string_view name) const { return hash_of_name(name); }
};

} // namespace canang
