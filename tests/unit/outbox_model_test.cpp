#include "net/outbox.hpp"
#include "tests/unit/support/fake_sink.hpp"
#include "tests/unit/support/seed.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using test::fake_sink;
using test::no_limit;

constexpr std::size_t overhead = 64; // what a slice that waits counts for beside its bytes

/// A made-up stream of slices: what the sink has is at all times a prefix of it, made of whole slices
/// but for the last, whatever the sink takes and wherever it fails.
TEST(outbox, delivers_a_prefix_in_order_whatever_the_sink_does) {
  buffer_pool pool;
  const std::vector<std::string> slices{"a", "bcd", "efghijk", "l", "mn", std::string(40, 'o'),
                                        "p"};
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
      for (int i = 0; i < 100 && !fault && !box.empty(); ++i)
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

/// The same against a model, with a limit, drops and closes at random.
TEST(outbox, agrees_with_a_plain_model) {
  buffer_pool pool;
  boost::system::error_code ec;
  const auto seed = test::random_seed();
  test::dice random{seed};
  for (int round = 0; round < 300; ++round) {
    const std::size_t limit = random.roll<std::size_t>(0, 400);
    outbox box{limit};
    fake_sink target;
    std::string expected;          // what the sink has to have got when all is flushed
    std::vector<std::size_t> ends; // of the slices in it
    for (int step = 0; step < 400; ++step) {
      target.a_call = random.one_in(3) ? 0 : random.roll<std::size_t>(0, 40);
      const auto waiting = expected.size() - target.got.size();
      ASSERT_EQ(box.bytes(), waiting) << "seed " << seed;
      if (random.one_in(20)) { // what has not begun goes
        while (!ends.empty() && ends.back() > target.got.size()
               && (ends.size() > 1 ? ends[ends.size() - 2] : 0) >= target.got.size())
          ends.pop_back();
        expected.resize(ends.empty() ? 0 : ends.back());
        ASSERT_EQ(box.drop_unstarted(), waiting - (expected.size() - target.got.size()));
      } else if (random.one_in(3)) {
        box.flush(target, ec);
      } else {
        const auto buffer = pool.make(random.bytes(random.roll<std::size_t>(0, 30)));
        const auto from = random.roll<std::size_t>(0, buffer->size());
        const auto to = random.roll<std::size_t>(from, buffer->size());
        const auto written = waiting == 0 ? std::min(target.a_call, to - from) : 0;
        std::size_t held = waiting;
        for (const auto end : ends)
          held += end > target.got.size() ? overhead : 0;
        const bool fits = held + (to - from) - written <= limit || to - from == written;
        const auto status = box.send(target, buffer, from, to, ec);
        ASSERT_EQ(status == send_status::dropped, !fits) << "seed " << seed;
        if (from < to && (fits || written > 0)) {
          expected.append(buffer->data() + from, to - from);
          ends.push_back(expected.size());
        }
      }
      ASSERT_TRUE(expected.starts_with(target.got)) << "seed " << seed;
    }
    target.a_call = no_limit;
    box.flush(target, ec);
    ASSERT_EQ(target.got, expected) << "seed " << seed;
    ASSERT_FALSE(ec);
  }
}

} // namespace
} // namespace canang::net
