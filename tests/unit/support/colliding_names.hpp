#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace canang::test {

/// Names of 224 bytes of UTF-8, up to 16,384 of them, to which libstdc++'s std::hash (MurmurHash64A) gives
/// one value, whatever its seed.
///
/// It mixes eight bytes at a time before it joins them to the rest. What it makes of the two texts here
/// differs in the highest bit only, which no multiplication by an odd number moves: a second such pair
/// behind the first takes the difference away.
inline std::vector<std::string> names_that_collide(std::size_t count) {
  const std::array<std::string, 2> pair{"\xCD\x94z^\xC6\x81\xCA\xAD", "\xCD\x94"
                                                                      "7xagr<"};
  std::vector<std::string> names(count);
  for (std::size_t number = 0; number < count; ++number)
    for (unsigned bit = 0; bit < 14; ++bit) {
      const auto& half = pair[number >> bit & 1U];
      names[number] += half + half;
    }
  return names;
}

} // namespace canang::test
