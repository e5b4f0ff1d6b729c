#include "base/name_map.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace canang::bench {

namespace {

/// As it would be without a key: what the keyed hash costs is the difference.
struct plain_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const {
    return std::hash<std::string_view>{}(name);
  }
};

/// One of many rooms is looked up by its name: once a publish, a join, a message of Redis.
template <class Hash>
void look_up_a_name(benchmark::State& state) {
  const auto rooms = static_cast<std::size_t>(state.range(0));
  const auto length = static_cast<std::size_t>(state.range(1));
  std::vector<std::string> names;
  std::unordered_map<std::string, int, Hash, std::equal_to<>> table;
  for (std::size_t i = 0; i < rooms; ++i) {
    auto& name = names.emplace_back("room-" + std::to_string(i));
    name.resize(length, '.');
    table.emplace(name, 0);
  }
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.find(std::string_view{names[next]}));
    next = next + 1 == rooms ? 0 : next + 1;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_TEMPLATE(look_up_a_name, plain_hash)
  ->ArgNames({"rooms", "bytes"})
  ->ArgsProduct({{1, 1000, 100'000}, {10, 40}});
BENCHMARK_TEMPLATE(look_up_a_name, name_hash)
  ->ArgNames({"rooms", "bytes"})
  ->ArgsProduct({{1, 1000, 100'000}, {10, 40}});

} // namespace

} // namespace canang::bench
