#include "base/name_hash.hpp"

#include "base/siphash.hpp"

#include <random>

namespace canang {

namespace {

siphash_key random_key() {
  std::random_device source; // the kernel's
  siphash_key key{};
  for (auto& word : key)
    word = std::uint64_t{source()} << 32U | source();
  return key;
}

siphash_key& process_key() {
  static siphash_key key = random_key();
  return key;
}

} // namespace

std::uint64_t hash_of_name(std::string_view name) noexcept {
  return siphash<1, 3>(process_key(), name);
}

void fix_name_hash(std::uint64_t key) noexcept { process_key() = {key, ~key}; }

} // namespace canang
