#include "net/outbox.hpp"

#include "tests/unit/support/fake_sink.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using test::fake_sink;
using test::no_limit;

constexpr std::size_t overhead = 64; // what a slice that waits counts for beside its bytes

struct outbox_test : testing::Test {
  buffer_pool pool;
  fake_sink sink;
  boost::system::error_code ec;

  send_status send(outbox& box, std::string_view bytes) {
    const auto buffer = pool.make(bytes);
    return box.send(sink, buffer, 0, buffer->size(), ec);
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

TEST_F(outbox_test, takes_up_to_its_limit_and_not_a_byte_more) {
  outbox box{10 + overhead};
  sink.a_call = 0;
  EXPECT_EQ(send(box, "0123456"), send_status::queued);
  EXPECT_EQ(send(box, "0123"), send_status::dropped);
  EXPECT_EQ(send(box, "789"), send_status::queued);
  EXPECT_EQ(send(box, "x"), send_status::dropped);
  EXPECT_EQ(box.bytes(), 10U);
  sink.a_call = no_limit;
  box.flush(sink, ec);
  EXPECT_EQ(sink.got, "0123456789") << "nothing of a dropped slice";
}

TEST_F(outbox_test, counts_small_slices_for_what_they_take_in_memory) {
  outbox box{10'000};
  sink.a_call = 0;
  std::size_t taken = 0;
  while (send(box, "x") == send_status::queued)
    ++taken;
  EXPECT_LE(taken, 10'000 / overhead);
  EXPECT_EQ(box.bytes(), taken);
}

TEST_F(outbox_test, refuses_whole_a_slice_over_the_limit_that_the_sink_takes_nothing_of) {
  outbox box{4};
  sink.a_call = 0;
  EXPECT_EQ(send(box, "hello"), send_status::dropped);
  EXPECT_TRUE(box.empty());
}

TEST_F(outbox_test, counts_only_what_waits_against_the_limit) {
  outbox box{4};
  sink.a_call = 1;
  EXPECT_EQ(send(box, "hello"), send_status::queued);
  EXPECT_EQ(box.bytes(), 4U);
}

TEST_F(outbox_test, keeps_the_rest_of_a_started_slice_over_its_limit_for_a_close_frame_to_follow) {
  outbox box{3};
  sink.a_call = 1;
  EXPECT_EQ(send(box, "hello"), send_status::dropped);
  EXPECT_EQ(box.bytes(), 4U);
  EXPECT_EQ(box.drop_unstarted(), 0U);
  EXPECT_EQ(box.send_unlimited(sink, pool.make("close"), ec), send_status::queued);
  sink.a_call = no_limit;
  box.flush(sink, ec);
  EXPECT_EQ(sink.got, "helloclose");
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
  send(box, "one");
  send(box, "two");
  send(box, "three");
  sink.a_call = 3;
  box.flush(sink, ec);
  EXPECT_EQ(box.drop_unstarted(), 8U);
  EXPECT_TRUE(box.empty());
  EXPECT_EQ(sink.got, "one");
}

TEST_F(outbox_test, completes_a_started_slice_after_dropping_the_others) {
  outbox box{1000};
  sink.a_call = 0;
  send(box, "one");
  send(box, "two");
  send(box, "three");
  sink.a_call = 4;
  box.flush(sink, ec);
  EXPECT_EQ(box.drop_unstarted(), 5U);
  EXPECT_EQ(box.bytes(), 2U);
  EXPECT_EQ(send(box, "four"), send_status::queued);
  sink.a_call = no_limit;
  box.flush(sink, ec);
  EXPECT_EQ(sink.got, "onetwofour");
}

TEST_F(outbox_test, lets_its_buffers_go_when_it_has_written_or_dropped_them) {
  outbox box{1000};
  sink.a_call = 0;
  auto buffer = pool.make("shared");
  const auto* const address = buffer.get();
  box.send(sink, buffer, 0, 6, ec);
  buffer.reset();
  EXPECT_NE(pool.make().get(), address);
  sink.a_call = no_limit;
  box.flush(sink, ec);
  buffer = pool.make("shared");
  EXPECT_EQ(buffer.get(), address) << "back in the pool";
  sink.a_call = 0;
  box.send(sink, buffer, 0, 6, ec);
  buffer.reset();
  EXPECT_EQ(box.clear(), 6U);
  EXPECT_EQ(pool.make().get(), address);
}

TEST_F(outbox_test, offers_the_kernel_many_pieces_at_once_but_not_too_many) {
  outbox box{100'000};
  sink.a_call = 0;
  for (int i = 0; i < 200; ++i)
    send(box, "x");
  sink.a_call = no_limit;
  sink.calls = 0;
  EXPECT_EQ(box.flush(sink, ec), 200U);
  EXPECT_LE(sink.calls, 5);
  EXPECT_LE(sink.most_pieces, 1024U) << "IOV_MAX";
}

} // namespace
} // namespace canang::net
