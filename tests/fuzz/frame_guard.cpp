// The guard against a straightforward parser of the whole stream, at any chunking.

#include "net/frame.hpp"
#include "tests/fuzz/fuzz_input.hpp"

namespace {

/// How many bytes may be seen before the guard has to refuse: up to and with the first byte of a
/// 64-bit length that has its highest bit set. The size of the stream plus 1 when there is none.
std::size_t refused_at(std::span<const std::uint8_t> stream) {
  std::size_t at = 0;
  const auto never = stream.size() + 1;
  while (at + 2 <= stream.size()) {
    const bool masked = stream[at + 1] >= 128;
    std::uint64_t length = stream[at + 1] % 128;
    at += 2;
    const std::size_t extra = length == 127 ? 8 : length == 126 ? 2 : 0;
    if (extra == 8 && at < stream.size() && stream[at] >= 128)
      return at + 1;
    if (at + extra > stream.size())
      return never;
    if (extra > 0) {
      length = 0;
      for (std::size_t i = 0; i < extra; ++i)
        length = length * 256 + stream[at + i];
    }
    at += extra + (masked ? 4 : 0);
    if (at > stream.size() || length > stream.size() - at)
      return never;
    at += static_cast<std::size_t>(length);
  }
  return never;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  canang::fuzz::input in{data, size};
  const std::size_t chunk = in.byte();
  const auto stream = in.all(4096);
  const auto limit = refused_at(stream);
  canang::net::frame_guard guard;
  std::size_t seen = 0;
  canang::fuzz::input rest{stream.data(), stream.size()};
  while (seen < stream.size()) {
    const auto piece = rest.take(chunk == 0 ? stream.size() : chunk);
    seen += piece.size();
    canang::fuzz::require(guard.feed(piece) == (seen < limit), "the guard agrees with the parser");
  }
  return 0;
}
