#include "net/auth/token.hpp"

#include "tests/unit/support/token_vectors.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <variant>

namespace canang::bench {

namespace {

net::token_keys keys_of(const test::token_vector& vector) {
  net::token_keys_builder builder;
  const auto fault = vector.public_key == test::token_secret ? builder.add_secret(vector.public_key)
                                                             : builder.add_pem(vector.public_key);
  return fault.empty() ? std::move(builder).build() : net::token_keys{};
}

/// What a client costs that comes with a token: once a connection, once a refresh.
void check_a_token(benchmark::State& state) {
  const auto& vector = test::token_vectors[static_cast<std::size_t>(state.range(0))];
  const auto keys = keys_of(vector);
  const std::chrono::system_clock::time_point now{std::chrono::seconds{1'800'000'000}};
  for (auto _ : state) {
    const auto checked = net::check_token(vector.token, keys, {}, now);
    if (!std::holds_alternative<net::token_claims>(checked)) {
      state.SkipWithError("the token does not hold");
      break;
    }
  }
  state.SetLabel(std::string{net::facts_of(vector.algorithm).name});
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(check_a_token)->DenseRange(0, net::token_algorithm_count - 1);

/// What is asked of every token before that.
void ask_whether_a_token_is_costly(benchmark::State& state) {
  const auto token = test::token_vectors.back().token;
  for (auto _ : state)
    benchmark::DoNotOptimize(net::is_costly(token));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ask_whether_a_token_is_costly);

} // namespace

} // namespace canang::bench
