#include "cluster/epoch.hpp"

#include <algorithm>
#include <random>
#include <string_view>

namespace canang::cluster {

std::string make_epoch() {
  static constexpr std::string_view alphabet = "abcdefghijkmnpqrstuvwxyz23456789"; // 32
  static thread_local std::random_device source;
  std::string epoch;
  for (std::size_t i = 0; i < epoch_size; ++i)
    epoch += alphabet[source() % alphabet.size()];
  return epoch;
}

bool is_epoch(std::string_view text) noexcept {
  return text.size() == epoch_size && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
         });
}

} // namespace canang::cluster
