#include "net/frame_buffer.hpp"
#include "net/protocol/plain.hpp"

#include <benchmark/benchmark.h>

#include <string>

namespace canang::bench {

namespace {

/// A publication into the shared buffer of a turn: once a room and wire format, whatever its members.
void encode(benchmark::State& state) {
  net::buffer_pool buffers;
  const std::string payload(static_cast<std::size_t>(state.range(0)), 'x');
  const net::outgoing_publication message{net::frame_type::text, payload};
  constexpr int messages_a_turn = 32;
  for (auto _ : state) {
    const auto buffer = buffers.make();
    for (int i = 0; i < messages_a_turn; ++i)
      net::plain_format().encode(message, buffer->bytes());
    benchmark::DoNotOptimize(buffer->data());
  }
  state.SetItemsProcessed(state.iterations() * messages_a_turn);
  state.SetBytesProcessed(state.iterations() * messages_a_turn * state.range(0));
}
BENCHMARK(encode)->ArgName("bytes")->Arg(64)->Arg(512)->Arg(4096);

} // namespace

} // namespace canang::bench
