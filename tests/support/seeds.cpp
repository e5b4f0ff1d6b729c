#include "tests/support/seeds.hpp"

#include "base/name_hash.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace canang::sim {

namespace {

std::uint64_t number_from_environment(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

} // namespace

bool is_one_seed() { return number_from_environment("CANANG_SEED") != 0; }

void for_each_seed(std::uint64_t count, const std::function<void(std::uint64_t)>& test) {
  fix_name_hash(1); // it decides on rooms' loops and the order of tables
  std::uint64_t first = 1;
  std::uint64_t last = count;
  if (const auto only = number_from_environment("CANANG_SEED"); only != 0) {
    first = only;
    last = only;
  } else if (const auto wanted = number_from_environment("CANANG_SEEDS"); wanted != 0) {
    last = wanted;
  }
  for (auto seed = first; seed <= last && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "rerun this one with CANANG_SEED=" << seed);
    test(seed);
  }
}

} // namespace canang::sim
