#include "net/send_queue.hpp"
#include "tests/unit/support/fake_sink.hpp"
#include "tests/unit/support/list_source.hpp"
#include "tests/unit/support/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace canang::net {
namespace {

using test::fake_sink;
using test::list_source;
using test::no_limit;

/// Slices and sources in turns: what the sink has is at all times a prefix of it, whatever it takes a call,
/// wherever it fails, and however small the share of a turn is.
TEST(send_queue, delivers_a_prefix_in_order_whatever_the_sink_does) {
  const std::string all = "abcdefghijklmnop";
  for (std::size_t a_call = 0; a_call <= all.size(); ++a_call) {
    for (int fails_at = -1; fails_at < 20; ++fails_at) {
      for (const std::size_t share : {std::size_t{1}, std::size_t{3}, no_limit}) {
        buffer_pool pool;
        send_queue queue{100'000};
        fake_sink target;
        target.a_call = a_call;
        target.fails_at = fails_at;
        boost::system::error_code fault;
        const auto send = [&](std::string_view bytes) {
          const auto buffer = pool.make(bytes);
          if (!fault)
            queue.send(target, buffer, 0, buffer->size(), fault);
        };
        send("ab");
        queue.add(std::make_unique<list_source>(pool, std::deque<std::string>{"cde", "f", "gh"}));
        send("i");
        if (!fault)
          queue.flush(target, share, fault);
        send("jk");
        queue.add(std::make_unique<list_source>(pool, std::deque<std::string>{}));
        queue.add(std::make_unique<list_source>(pool, std::deque<std::string>{"lm", "n"}));
        send("op");
        for (int i = 0; i < 100 && !fault && !queue.empty(); ++i)
          queue.flush(target, share, fault);
        ASSERT_TRUE(all.starts_with(target.got)) << a_call << ' ' << fails_at << ' ' << share;
        ASSERT_EQ(bool{fault}, fails_at >= 0 && target.calls > fails_at);
        if (!fault && a_call > 0) {
          ASSERT_EQ(target.got, all) << a_call << ' ' << share;
          ASSERT_TRUE(queue.empty());
        }
      }
    }
  }
}

/// Cut at every byte of what is sent: after dropping what has not begun, a close frame follows whole units.
TEST(send_queue, is_cut_between_slices_and_pieces_wherever_the_socket_stopped) {
  const std::vector<std::size_t> ends{0, 2, 5, 6, 8, 9};
  for (std::size_t taken = 0; taken <= 9; ++taken) {
    buffer_pool pool;
    send_queue queue{1000};
    fake_sink target;
    boost::system::error_code ec;
    target.a_call = 0;
    const auto send = [&](std::string_view bytes) {
      queue.send(target, pool.make(bytes), 0, bytes.size(), ec);
    };
    send("ab");
    queue.add(std::make_unique<list_source>(pool, std::deque<std::string>{"cde", "f", "gh"}));
    send("i");
    target.a_call = 1;
    while (target.got.size() < taken)
      queue.flush(target, 1, ec);
    queue.drop_unstarted();
    const auto whole = *std::lower_bound(ends.begin(), ends.end(), taken);
    queue.send_unlimited(target, pool.make("!"), ec);
    target.a_call = no_limit;
    queue.flush(target, no_limit, ec);
    EXPECT_EQ(target.got, std::string{"abcdefghi"}.substr(0, whole) + '!') << taken;
    EXPECT_TRUE(queue.empty());
  }
}

/// Random sends, sources, flushes and drops against the bytes that have to come.
TEST(send_queue, agrees_with_a_plain_model) {
  const auto seed = test::random_seed();
  test::dice random{seed};
  boost::system::error_code ec;
  for (int round = 0; round < 200; ++round) {
    buffer_pool pool;
    send_queue queue{100'000};
    fake_sink target;
    std::string expected;
    for (int step = 0; step < 200; ++step) {
      target.a_call = random.one_in(3) ? 0 : random.roll<std::size_t>(1, 40);
      switch (random.roll(0, 6)) {
      case 0: {
        std::deque<std::string> pieces(random.roll<std::size_t>(0, 5));
        for (auto& piece : pieces)
          expected += piece = random.bytes(random.roll<std::size_t>(1, 30));
        queue.add(std::make_unique<list_source>(pool, std::move(pieces)));
        break;
      }
      case 1:
      case 2: queue.flush(target, random.roll<std::size_t>(0, 60), ec); break;
      default: {
        const auto bytes = random.bytes(random.roll<std::size_t>(0, 30));
        expected += bytes;
        ASSERT_NE(queue.send(target, pool.make(bytes), 0, bytes.size(), ec), send_status::dropped);
      }
      }
      ASSERT_TRUE(expected.starts_with(target.got)) << "seed " << seed;
      ASSERT_TRUE(!queue.empty() || target.got == expected) << "seed " << seed;
    }
    target.a_call = no_limit;
    queue.flush(target, no_limit, ec);
    ASSERT_EQ(target.got, expected) << "seed " << seed;
    ASSERT_TRUE(queue.empty());
    ASSERT_EQ(queue.held_bytes(), 0U);
  }
}

} // namespace
} // namespace canang::net
