#include "net/frame.hpp"
#include "tests/unit/support/seed.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using namespace std::string_literals;
using test::dice;

/// Feeds `stream` in pieces of the given sizes, the last one again and again.
bool accepts(std::string_view stream, const std::vector<std::size_t>& chunks,
             frame_guard guard = {}) {
  std::size_t at = 0;
  std::size_t i = 0;
  while (at < stream.size()) {
    const auto size = std::min(chunks[std::min(i++, chunks.size() - 1)], stream.size() - at);
    if (!guard.feed({reinterpret_cast<const std::uint8_t*>(stream.data()) + at, size}))
      return false;
    at += size;
  }
  return true;
}

/// A frame as a client may send it: any opcode, masked or not, with a length that may be longer than
/// it had to be.
std::string random_frame(dice& random, std::size_t payload_bytes) {
  const bool masked = random.one_in(2);
  std::string frame(1, static_cast<char>(random.roll(0, 255)));
  const int least = payload_bytes > 0xFFFF ? 2 : payload_bytes > 125 ? 1 : 0;
  const int width = random.roll(least, 2);
  const int first = width == 0 ? static_cast<int>(payload_bytes) : width == 1 ? 126 : 127;
  frame += static_cast<char>(first | (masked ? 0x80 : 0));
  for (int i = (width == 0 ? 0 : width == 1 ? 2 : 8); i > 0; --i)
    frame += static_cast<char>(static_cast<std::uint64_t>(payload_bytes)
                               >> (8U * (static_cast<unsigned>(i) - 1)));
  if (masked)
    frame += random.bytes(4);
  return frame + random.bytes(payload_bytes);
}

std::size_t random_size(dice& random) {
  switch (random.roll(0, 5)) {
  case 0: return 0;
  case 1: return random.roll<std::size_t>(124, 128);
  case 2: return random.roll<std::size_t>(1, 2000);
  default: return random.roll<std::size_t>(0, 40);
  }
}

/// The start of a frame whose 64-bit length has its highest bit set.
std::string bad_header(bool masked) {
  return "\x82"s + (masked ? '\xff' : '\x7f') + "\x80\0\0\0\0\0\0\x01mask"s;
}

TEST(frame_guard, takes_valid_frames_cut_at_every_position) {
  const auto seed = test::random_seed();
  dice random{seed};
  for (int round = 0; round < 20; ++round) {
    std::string stream;
    for (int i = 0; i < 6; ++i)
      stream += random_frame(random, random_size(random));
    for (std::size_t cut = 1; cut <= stream.size(); ++cut)
      ASSERT_TRUE(accepts(stream, {cut, stream.size()})) << "seed " << seed << ", cut at " << cut;
    ASSERT_TRUE(accepts(stream, {1})) << "seed " << seed;
  }
}

TEST(frame_guard, takes_valid_frames_in_random_chunks) {
  const auto seed = test::random_seed();
  dice random{seed};
  for (int round = 0; round < 200; ++round) {
    std::string stream;
    for (int i = 0; i < 20; ++i)
      stream += random_frame(random, random_size(random));
    std::vector<std::size_t> chunks;
    for (int i = 0; i < 200; ++i)
      chunks.push_back(random.roll<std::size_t>(1, 50));
    ASSERT_TRUE(accepts(stream, chunks)) << "seed " << seed;
  }
}

TEST(frame_guard, takes_a_large_payload_that_looks_like_bad_headers) {
  std::string stream = "\x82\xff\0\0\0\0\0\x01\0\0mask"s;
  stream += std::string(65536, '\xff');
  stream += "\x81\x00"s;
  for (const std::size_t chunk : {1UL, 7UL, 4096UL, 100'000UL})
    EXPECT_TRUE(accepts(stream, {chunk})) << chunk;
}

TEST(frame_guard, takes_a_64_bit_length_without_the_highest_bit) {
  EXPECT_TRUE(accepts("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xffmaskpayload"s, {100}));
  EXPECT_TRUE(accepts("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xffpayload"s, {1}));
}

TEST(frame_guard, refuses_a_length_with_the_highest_bit_however_it_is_cut) {
  for (const bool masked : {false, true}) {
    const auto header = bad_header(masked);
    for (std::size_t cut = 1; cut <= header.size(); ++cut)
      EXPECT_FALSE(accepts(header, {cut, 100})) << cut;
    EXPECT_FALSE(accepts(header, {1}));
    EXPECT_FALSE(accepts("\x82"s + (masked ? '\xff' : '\x7f') + "\xff"s, {1}))
      << "at its first byte";
  }
}

TEST(frame_guard, refuses_it_behind_other_frames_at_every_chunking) {
  const auto seed = test::random_seed();
  dice random{seed};
  for (int round = 0; round < 40; ++round) {
    std::string before;
    for (int i = random.roll(1, 5); i > 0; --i)
      before += random_frame(random, random_size(random));
    const auto stream = before + bad_header(random.one_in(2));
    for (std::size_t cut = 1; cut <= stream.size(); ++cut)
      ASSERT_FALSE(accepts(stream, {cut, stream.size()})) << "seed " << seed << ", cut at " << cut;
    ASSERT_TRUE(accepts(stream.substr(0, before.size() + 2), {stream.size()})) << "seed " << seed;
    ASSERT_FALSE(accepts(stream.substr(0, before.size() + 3), {1})) << "seed " << seed;
  }
}

TEST(frame_guard, stays_refused) {
  frame_guard guard;
  const auto feed = [&](std::string_view bytes) {
    return guard.feed({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  };
  EXPECT_TRUE(feed(""));
  EXPECT_FALSE(feed(bad_header(true)));
  EXPECT_FALSE(feed("\x81\x00"s));
  EXPECT_FALSE(feed(""));
}

} // namespace
} // namespace canang::net
