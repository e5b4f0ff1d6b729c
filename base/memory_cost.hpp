#pragma once

#include <bit>
#include <cstddef>
#include <string>
#include <utility>

/// What things take of memory, overhead included: what is kept for somebody is charged with this, not with
/// the bytes of payload in it. Sums agree with the resident memory within some percent
/// (tests/integration/test_memory_figures.py).

namespace canang {

/// Bytes that an allocation takes. jemalloc's size classes: multiples of 16 up to 128, then four in each
/// doubling; from 16 KiB on pages, of which one more is touched as such blocks begin anywhere in one.
/// Other allocators differ by little.
[[nodiscard]] constexpr std::size_t allocated(std::size_t bytes) noexcept {
  constexpr std::size_t page = 4096;
  if (bytes <= 128)
    return (bytes + 15) / 16 * 16;
  if (bytes >= 4 * page)
    return (bytes + 2 * page - 1) / page * page;
  const auto step = std::bit_floor(bytes - 1) / 4;
  return (bytes + step - 1) / step * step;
}

/// Bytes that a text of so many takes outside of its string: none up to 15 (of libstdc++).
[[nodiscard]] constexpr std::size_t heap_of_text(std::size_t size) noexcept {
  return size > 15 ? allocated(size + 1) : 0;
}
[[nodiscard]] inline std::size_t heap_of(const std::string& text) noexcept {
  return heap_of_text(text.capacity());
}

/// A hash table's part for each entry: between one and two pointers, as tables double.
inline constexpr std::size_t bucket_cost = 3 * sizeof(void*) / 2;

/// The first buckets of a hash table that has an entry: 13.
inline constexpr std::size_t first_buckets_cost = allocated(13 * sizeof(void*));

/// An entry of a `name_map`: its node has a link and the hash beside key and value. Without what the
/// strings in it take outside.
template <class Value>
inline constexpr std::size_t
  name_map_entry_cost = allocated(sizeof(std::pair<const std::string, Value>) + 2 * sizeof(void*))
                        + bucket_cost;

/// An entry of a hash table by number: the hash is not kept.
template <class Key, class Value>
inline constexpr std::size_t number_map_entry_cost = allocated(sizeof(std::pair<const Key, Value>)
                                                               + sizeof(void*))
                                                     + bucket_cost;

/// Gives the buckets back that a hash table has had for a crowd that is gone. To be called now and then.
template <class Table>
void give_back_buckets(Table& table) {
  constexpr std::size_t worth_it = 4096;
  if (table.bucket_count() > worth_it && table.bucket_count() / 8 > table.size())
    table.rehash(0);
}

} // namespace canang
