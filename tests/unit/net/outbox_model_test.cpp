#include "net/limits.hpp"
#include "net/outbox.hpp"
#include "tests/unit/support/fake_sink.hpp"
#include "tests/unit/support/seed.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using test::fake_sink;
using test::no_limit;

/// A made-up stream of slices: what the sink has is at all times a prefix of it, made of whole slices
/// but for the last, whatever the sink takes and wherever it fails.
TEST(outbox, delivers_a_prefix_in_order_whatever_the_sink_does) {
  buffer_pool pool;
  const std::vector<std::string> slices{
    "a", "bcd", "efghijk", "l", "mn", std::string(40, 'o'), std::string(70, 'p'),
    "q"}; // the long one is not copied
  std::string all;
  for (const auto& slice : slices)
    all += slice;
  for (std::size_t a_call = 0; a_call <= all.size(); ++a_call) {
    for (int fails_at = -1; fails_at < 30; ++fails_at) {
      outbox box{100'000};
      fake_sink target;
      target.a_call = a_call;
      target.fails_at = fails_at;
      boost::system::error_code fault;
      std::size_t sent = 0;
      for (const auto& slice : slices) {
        const auto buffer = pool.make(slice);
        const auto status = box.send(target, buffer, 0, slice.size(), fault);
        if (fault) {
          ASSERT_EQ(status, send_status::dropped);
          break;
        }
        sent += slice.size();
        ASSERT_EQ(status == send_status::sent, box.empty());
        ASSERT_EQ(box.bytes(), sent - target.got.size());
        box.flush(target, fault);
        if (fault)
          break;
      }
      for (int i = 0; i < 200 && !fault && !box.empty(); ++i)
        box.flush(target, fault);
      ASSERT_TRUE(all.starts_with(target.got)) << a_call << ' ' << fails_at;
      ASSERT_EQ(bool{fault}, fails_at >= 0 && target.calls > fails_at);
      if (!fault && a_call > 0) {
        ASSERT_EQ(target.got, all);
      }
      ASSERT_EQ(box.bytes(), sent - target.got.size());
    }
  }
}

/// A slice of a made-up buffer: now and then a small part of it, and of every size about those at which it is
/// copied, gathered or shared.
struct made_up_slice {
  frame_buffer_ptr buffer;
  std::size_t from;
  std::size_t to;
};

made_up_slice roll_slice(buffer_pool& pool, test::dice& random) {
  const std::size_t most = random.one_in(8) ? 6000 : random.one_in(2) ? 200 : 30;
  auto buffer = pool.make(random.bytes(random.roll<std::size_t>(0, most)));
  const auto size = buffer->size();
  if (random.one_in(2))
    return {std::move(buffer), 0, size};
  const auto from = random.roll<std::size_t>(0, size);
  return {std::move(buffer), from, random.roll<std::size_t>(from, size)};
}

/// The same against a model, with a limit, drops and closes at random: what was taken comes whole and in order,
/// what was refused does not, one slice always fits, and what is held has its bound.
TEST(outbox, agrees_with_a_plain_model) {
  buffer_pool pool;
  boost::system::error_code ec;
  const auto seed = test::random_seed();
  test::dice random{seed};
  for (int round = 0; round < 300; ++round) {
    const std::size_t limit = random.roll<std::size_t>(0, 5000);
    const std::size_t cap = random.one_in(2) ? limit : 4 * limit;
    outbox box{outbox_limits{limit, cap}};
    fake_sink target;
    std::string expected;             // what the sink has to have got when all is flushed
    std::vector<std::size_t> ends{0}; // of the slices in it
    for (int step = 0; step < 400; ++step) {
      target.a_call = random.one_in(3) ? 0 : random.roll<std::size_t>(0, 300);
      const auto waiting = expected.size() - target.got.size();
      ASSERT_EQ(box.bytes(), waiting) << "seed " << seed;
      ASSERT_GE(box.held_bytes(), waiting) << "seed " << seed;
      ASSERT_EQ(box.empty(), waiting == 0) << "seed " << seed;
      if (random.one_in(20)) { // what has not begun goes, up to the end of a slice
        expected.resize(expected.size() - box.drop_unstarted());
        while (ends.back() > expected.size())
          ends.pop_back();
        ASSERT_EQ(ends.back(), expected.size()) << "seed " << seed;
        ASSERT_GE(expected.size(), target.got.size()) << "seed " << seed;
        ASSERT_EQ(box.held_bytes(), box.started_bytes()) << "seed " << seed;
      } else if (random.one_in(3)) {
        box.flush(target, ec);
      } else {
        const auto [buffer, from, to] = roll_slice(pool, random);
        const auto status = box.send(target, buffer, from, to, ec);
        if (waiting == 0) {
          ASSERT_NE(status, send_status::dropped) << "seed " << seed;
        }
        if (status != send_status::dropped && from < to) {
          expected.append(buffer->data() + from, to - from);
          ends.push_back(expected.size());
        }
      }
      ASSERT_TRUE(expected.starts_with(target.got)) << "seed " << seed;
      // the first, those within the cap or the one over the limit, and what a tail has in reserve
      const std::size_t largest = 6000 + max_tail_bytes;
      ASSERT_LE(box.held_bytes(), largest + std::max(cap, limit + largest) + max_tail_bytes);
    }
    target.a_call = no_limit;
    box.flush(target, ec);
    ASSERT_EQ(target.got, expected) << "seed " << seed;
    ASSERT_EQ(box.held_bytes(), 0U) << "seed " << seed;
    ASSERT_EQ(pool.held_bytes(), 0U) << "seed " << seed;
    ASSERT_FALSE(ec);
  }
}

} // namespace
} // namespace canang::net
