#include "net/outbox.hpp"

#include "net/limits.hpp"
#include "tests/unit/support/fake_sink.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using test::fake_sink;
using test::no_limit;

constexpr std::size_t overhead = slice_overhead_bytes;

/// Long enough not to be copied to the tail.
std::string slice_of(char letter, std::size_t size = 100) { return std::string(size, letter); }

struct outbox_test : testing::Test {
  buffer_pool pool;
  fake_sink sink;
  boost::system::error_code ec;

  send_status send(outbox& box, std::string_view bytes) {
    const auto buffer = pool.make(bytes);
    return box.send(sink, buffer, 0, buffer->size(), ec);
  }

  /// A buffer as a pool hands it out after a burst: much room, and little in it.
  frame_buffer_ptr roomy(std::string_view bytes) {
    auto buffer = pool.make(bytes);
    buffer->bytes().reserve(max_pooled_buffer_bytes);
    return buffer;
  }
};

TEST_F(outbox_test, hands_on_at_once_what_the_sink_takes) {
  outbox box{1000};
  EXPECT_EQ(send(box, "hello"), send_status::sent);
  EXPECT_EQ(sink.got, "hello");
  EXPECT_TRUE(box.empty());
  EXPECT_EQ(box.bytes(), 0U);
}

TEST_F(outbox_test, sends_nothing_for_an_empty_slice) {
  outbox box{1000};
  EXPECT_EQ(send(box, ""), send_status::sent);
  EXPECT_EQ(sink.calls, 0);
}

TEST_F(outbox_test, sends_only_the_slice) {
  outbox box{1000};
  const auto buffer = pool.make("0123456789");
  EXPECT_EQ(box.send(sink, buffer, 3, 6, ec), send_status::sent);
  sink.a_call = 0;
  EXPECT_EQ(box.send(sink, buffer, 7, 10, ec), send_status::queued);
  EXPECT_EQ(box.bytes(), 3U);
  sink.a_call = no_limit;
  EXPECT_EQ(box.flush(sink, ec), 3U);
  EXPECT_EQ(sink.got, "345789");
}

TEST_F(outbox_test, keeps_what_the_sink_did_not_take) {
  outbox box{1000};
  sink.a_call = 2;
  EXPECT_EQ(send(box, "hello"), send_status::queued);
  EXPECT_EQ(box.bytes(), 3U);
  EXPECT_EQ(box.flush(sink, ec), 2U);
  EXPECT_EQ(box.flush(sink, ec), 1U);
  EXPECT_TRUE(box.empty());
  EXPECT_EQ(sink.got, "hello");
}

TEST_F(outbox_test, sends_behind_what_waits) {
  outbox box{1000};
  sink.a_call = 0;
  send(box, "one");
  sink.a_call = no_limit;
  const int calls = sink.calls;
  EXPECT_EQ(send(box, "two"), send_status::queued);
  EXPECT_EQ(sink.calls, calls) << "the socket is known to be full";
  EXPECT_EQ(box.flush(sink, ec), 6U);
  EXPECT_EQ(sink.got, "onetwo");
}

TEST_F(outbox_test, takes_one_message_whatever_its_size) {
  outbox box{4};
  sink.a_call = 0;
  EXPECT_EQ(send(box, slice_of('a', 1'000'000)), send_status::queued);
  EXPECT_FALSE(box.is_over_limit());
  EXPECT_EQ(send(box, "x"), send_status::dropped) << "the limit is for what comes on top";
  sink.a_call = 1;
  EXPECT_EQ(box.drop_unstarted(), 1'000'000U) << "nothing of it was written";
  EXPECT_EQ(send(box, slice_of('a', 1'000'000)), send_status::queued);
  EXPECT_EQ(box.bytes(), 999'999U);
}

TEST_F(outbox_test, takes_up_to_its_limit_on_top_of_the_first_slice) {
  outbox box{3 * (200 + overhead)};
  sink.a_call = 0;
  EXPECT_EQ(send(box, slice_of('a', 5000)), send_status::queued);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(send(box, slice_of('b', 200)), send_status::queued);
  EXPECT_FALSE(box.is_over_limit());
  EXPECT_EQ(send(box, "x"), send_status::dropped);
  EXPECT_EQ(box.bytes(), 5600U);
  EXPECT_EQ(box.held_bytes(), 5600 + 4 * overhead);
  sink.a_call = no_limit;
  box.flush(sink, ec);
  EXPECT_EQ(sink.got, slice_of('a', 5000) + slice_of('b', 600)) << "nothing of a dropped slice";
  EXPECT_EQ(box.held_bytes(), 0U);
}

TEST_F(outbox_test, takes_more_up_to_its_cap_and_says_that_it_is_over_the_limit) {
  outbox box{outbox_limits{1000, 4000}};
  sink.a_call = 0;
  send(box, slice_of('a', 5000));
  std::size_t within = 0;
  for (; !box.is_over_limit(); ++within)
    ASSERT_EQ(send(box, slice_of('b', 200)), send_status::queued);
  EXPECT_EQ(within, 4U) << "264 bytes each";
  while (send(box, slice_of('b', 200)) == send_status::queued)
    ++within;
  EXPECT_EQ(within, 15U);
  sink.a_call = 5000 + 12 * 200;
  box.flush(sink, ec);
  EXPECT_FALSE(box.is_over_limit()) << "the first of the three that are left does not count";
}

TEST_F(outbox_test, with_a_cap_takes_the_first_one_over_its_limit_whatever_its_size) {
  outbox box{outbox_limits{1000, 4000}};
  sink.a_call = 0;
  send(box, slice_of('a', 7000));
  EXPECT_EQ(send(box, slice_of('b', 7000)), send_status::queued);
  EXPECT_TRUE(box.is_over_limit());
  EXPECT_EQ(send(box, slice_of('c', 7000)), send_status::dropped);
  EXPECT_EQ(box.bytes(), 14'000U);
}

TEST_F(outbox_test, holds_no_large_buffer_for_a_small_part_of_it) {
  outbox box{1'000'000};
  sink.a_call = 0;
  auto buffer = pool.make(slice_of('a', 200'000) + "tiny" + slice_of('b', 50'000));
  const auto* const address = buffer.get();
  EXPECT_EQ(box.send(sink, buffer, 200'000, 200'004, ec), send_status::queued);
  EXPECT_EQ(box.send(sink, buffer, 200'004, 200'200, ec), send_status::queued);
  buffer.reset();
  EXPECT_EQ(pool.make().get(), address) << "back in the pool";
  EXPECT_LT(box.held_bytes(), 500U);
  sink.a_call = no_limit;
  box.flush(sink, ec);
  EXPECT_EQ(sink.got, "tiny" + slice_of('b', 196));
}

TEST_F(outbox_test, holds_no_reused_buffer_for_a_pong) {
  outbox box{1'000'000};
  sink.a_call = 0;
  auto pong = roomy("\x8a");
  const auto* const address = pong.get();
  EXPECT_EQ(box.send(sink, pong, 0, 1, ec), send_status::queued);
  pong.reset();
  EXPECT_EQ(pool.make().get(), address);
  EXPECT_LT(box.held_bytes(), 100U);
}

TEST_F(outbox_test, trims_the_buffers_that_it_holds) {
  outbox box{1'000'000};
  sink.a_call = 0;
  const auto buffer = roomy(slice_of('a', 1000));
  EXPECT_EQ(box.send(sink, buffer, 0, 1000, ec), send_status::queued);
  EXPECT_LT(buffer->capacity(), 1400U);
  EXPECT_EQ(box.held_bytes(), buffer->capacity() + overhead);
  sink.a_call = no_limit;
  box.flush(sink, ec);
  EXPECT_EQ(sink.got, slice_of('a', 1000));
}

TEST_F(outbox_test, shares_a_long_rest_with_others_and_counts_all_of_its_buffer) {
  outbox one{1000};
  outbox two{1000};
  const auto buffer = pool.make(slice_of('a', 100'000));
  one.keep_rest(buffer, 90'000, 100'000);
  two.keep_rest(buffer, 95'000, 100'000);
  EXPECT_EQ(one.held_bytes(), 100'000 + overhead);
  EXPECT_EQ(two.held_bytes(), 100'000 + overhead);
  EXPECT_LT(pool.held_bytes(), 101'000U) << "their memory is the same";
  EXPECT_EQ(one.clear(), 10'000U);
  EXPECT_GE(pool.held_bytes(), 100'000U);
  two.flush(sink, ec);
  EXPECT_EQ(pool.held_bytes(), 0U);
  EXPECT_EQ(sink.got, slice_of('a', 5000));
}

TEST_F(outbox_test, counts_a_slice_until_all_of_it_is_written) {
  outbox box{1'000'000};
  sink.a_call = 0;
  send(box, slice_of('a', 100'000));
  sink.a_call = 99'999;
  box.flush(sink, ec);
  EXPECT_EQ(box.bytes(), 1U);
  EXPECT_GE(box.held_bytes(), 100'000U) << "its buffer is still held";
  box.flush(sink, ec);
  EXPECT_EQ(box.held_bytes(), 0U);
}

TEST_F(outbox_test, gathers_small_slices_and_counts_what_they_take_in_memory) {
  outbox box{10'000};
  sink.a_call = 0;
  std::size_t taken = 0;
  while (send(box, "x") == send_status::queued)
    ++taken;
  EXPECT_GT(taken, 10'000U) << "the first tail does not count";
  EXPECT_LT(taken, 10'000U + 2 * max_tail_bytes);
  EXPECT_EQ(box.bytes(), taken);
  EXPECT_GE(box.held_bytes(), taken);
  EXPECT_LT(box.held_bytes(), taken + max_tail_bytes);
  sink.a_call = 5;
  box.flush(sink, ec);
  EXPECT_EQ(box.drop_unstarted(), taken - max_tail_bytes) << "the first tail is started";
  sink.a_call = no_limit;
  box.flush(sink, ec);
  EXPECT_EQ(sink.got, slice_of('x', max_tail_bytes));
}

TEST_F(outbox_test, goes_on_with_its_tail_while_the_front_of_it_is_written) {
  outbox box{100'000};
  sink.a_call = 0;
  std::string all;
  for (int i = 0; i < 3000; ++i) {
    const auto piece = std::to_string(i) + ' ';
    ASSERT_EQ(send(box, piece), send_status::queued);
    all += piece;
    sink.a_call = 2;
    box.flush(sink, ec);
    sink.a_call = 0;
    ASSERT_EQ(box.bytes(), all.size() - sink.got.size());
  }
  sink.a_call = no_limit;
  box.flush(sink, ec);
  EXPECT_EQ(sink.got, all);
  EXPECT_EQ(box.held_bytes(), 0U);
}

TEST_F(outbox_test, takes_what_is_unlimited_over_its_limit) {
  outbox box{3};
  sink.a_call = 0;
  send(box, "one");
  EXPECT_EQ(box.send_unlimited(sink, pool.make("two"), ec), send_status::queued);
  EXPECT_EQ(box.bytes(), 6U);
  EXPECT_EQ(send(box, "x"), send_status::dropped) << "the limit holds for the others";
  sink.a_call = 4;
  box.flush(sink, ec);
  EXPECT_EQ(box.bytes(), 2U);
}

TEST_F(outbox_test, drops_all_that_is_not_started) {
  outbox box{1000};
  sink.a_call = 0;
  send(box, "one");
  send(box, "two");
  EXPECT_EQ(box.drop_unstarted(), 6U);
  EXPECT_TRUE(box.empty());
}

TEST_F(outbox_test, is_not_started_when_a_write_ended_between_two_slices) {
  outbox box{1000};
  sink.a_call = 0;
  for (const char letter : {'a', 'b', 'c'})
    send(box, slice_of(letter));
  sink.a_call = 100;
  box.flush(sink, ec);
  EXPECT_EQ(box.started_bytes(), 0U);
  EXPECT_EQ(box.drop_unstarted(), 200U);
  EXPECT_TRUE(box.empty());
  EXPECT_EQ(sink.got, slice_of('a'));
}

TEST_F(outbox_test, completes_a_started_slice_after_dropping_the_others) {
  outbox box{1000};
  sink.a_call = 0;
  for (const char letter : {'a', 'b', 'c'})
    send(box, slice_of(letter));
  sink.a_call = 101;
  box.flush(sink, ec);
  EXPECT_EQ(box.started_bytes(), 100 + overhead);
  EXPECT_EQ(box.drop_unstarted(), 100U);
  EXPECT_EQ(box.bytes(), 99U);
  EXPECT_EQ(box.held_bytes(), 100 + overhead);
  EXPECT_EQ(send(box, "four"), send_status::queued);
  sink.a_call = no_limit;
  box.flush(sink, ec);
  EXPECT_EQ(sink.got, slice_of('a') + slice_of('b') + "four");
}

TEST_F(outbox_test, lets_its_buffers_go_when_it_has_written_or_dropped_them) {
  outbox box{1000};
  sink.a_call = 0;
  auto buffer = pool.make(slice_of('s'));
  const auto* const address = buffer.get();
  box.send(sink, buffer, 0, 100, ec);
  buffer.reset();
  EXPECT_NE(pool.make().get(), address);
  sink.a_call = no_limit;
  box.flush(sink, ec);
  buffer = pool.make(slice_of('s'));
  EXPECT_EQ(buffer.get(), address) << "back in the pool";
  sink.a_call = 0;
  box.send(sink, buffer, 0, 100, ec);
  buffer.reset();
  EXPECT_EQ(box.clear(), 100U);
  EXPECT_EQ(pool.make().get(), address);
}

TEST_F(outbox_test, offers_the_kernel_many_pieces_at_once_but_not_too_many) {
  outbox box{100'000};
  sink.a_call = 0;
  for (int i = 0; i < 200; ++i)
    send(box, slice_of('x'));
  sink.a_call = no_limit;
  sink.calls = 0;
  EXPECT_EQ(box.flush(sink, ec), 20'000U);
  EXPECT_LE(sink.calls, 5);
  EXPECT_LE(sink.most_pieces, 1024U) << "IOV_MAX";
}

} // namespace
} // namespace canang::net
