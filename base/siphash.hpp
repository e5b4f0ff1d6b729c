#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace canang {

using siphash_key = std::array<std::uint64_t, 2>;

namespace detail {

/// The state of one hash: four words that rounds mix.
struct siphash_state {
  std::uint64_t v0, v1, v2, v3;

  explicit siphash_state(const siphash_key& key) noexcept
    : v0(key[0] ^ 0x736F6D6570736575ULL),
      v1(key[1] ^ 0x646F72616E646F6DULL),
      v2(key[0] ^ 0x6C7967656E657261ULL),
      v3(key[1] ^ 0x7465646279746573ULL) {}

  template <int Rounds>
  void mix() noexcept {
    for (int i = 0; i < Rounds; ++i) {
      v0 += v1;
      v2 += v3;
      v1 = std::rotl(v1, 13) ^ v0;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 = std::rotl(v0, 32);
      v2 += v1;
      v0 += v3;
      v1 = std::rotl(v1, 17) ^ v2;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 = std::rotl(v2, 32);
    }
  }

  template <int Rounds>
  void take(std::uint64_t word) noexcept {
    v3 ^= word;
    mix<Rounds>();
    v0 ^= word;
  }
};

} // namespace detail

/// SipHash-c-d (Aumasson and Bernstein, 2012): who does not know the key can't choose texts whose
/// hashes collide. 1-3 is what hash tables take (Rust, CPython, Ruby); 2-4 is the paper's, a MAC.
template <int CompressionRounds, int FinalRounds>
[[nodiscard]] std::uint64_t siphash(const siphash_key& key, std::string_view text) noexcept {
  static_assert(std::endian::native == std::endian::little, "words are read as they lie");
  detail::siphash_state state{key};
  const char* at = text.data();
  for (std::size_t words = text.size() / 8; words > 0; --words, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    state.take<CompressionRounds>(word);
  }
  std::uint64_t last = static_cast<std::uint64_t>(text.size()) << 56U;
  for (std::size_t i = 0; i < text.size() % 8; ++i)
    last |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(at[i])) << (8 * i);
  state.take<CompressionRounds>(last);
  state.v2 ^= 0xFF;
  state.mix<FinalRounds>();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

} // namespace canang
