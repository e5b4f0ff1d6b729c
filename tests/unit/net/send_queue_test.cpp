#include "net/send_queue.hpp"

#include "tests/unit/support/fake_sink.hpp"
#include "tests/unit/support/list_source.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using test::fake_sink;
using test::list_source;
using test::no_limit;

struct send_queue_test : testing::Test {
  buffer_pool pool;
  fake_sink sink;
  boost::system::error_code ec;
  list_source::log first;
  list_source::log second;

  send_status send(send_queue& queue, std::string_view bytes) {
    const auto buffer = pool.make(bytes);
    return queue.send(sink, buffer, 0, buffer->size(), ec);
  }

  frame_source_ptr source(std::deque<std::string> pieces, list_source::log& seen) {
    return std::make_unique<list_source>(pool, std::move(pieces), &seen);
  }
};

TEST_F(send_queue_test, is_an_outbox_as_long_as_no_source_waits) {
  send_queue queue{1000};
  EXPECT_EQ(send(queue, "hello"), send_status::sent);
  sink.a_call = 2;
  EXPECT_EQ(send(queue, "world"), send_status::queued);
  EXPECT_EQ(queue.bytes(), 3U);
  EXPECT_GT(queue.held_bytes(), 3U) << "with what holding it costs";
  sink.a_call = no_limit;
  EXPECT_EQ(queue.flush(sink, 0, ec), 3U) << "a share is for sources";
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(sink.got, "helloworld");
}

TEST_F(send_queue_test, is_larger_than_an_outbox_by_a_pointer) {
  EXPECT_EQ(sizeof(send_queue), sizeof(outbox) + sizeof(void*));
}

TEST_F(send_queue_test, asks_a_source_for_a_piece_only_when_the_one_before_is_written) {
  send_queue queue{1000};
  queue.add(source({"one", "two", "three"}, first));
  EXPECT_EQ(first.asked, 0);
  EXPECT_FALSE(queue.empty());
  sink.a_call = 0;
  queue.flush(sink, no_limit, ec);
  EXPECT_EQ(first.asked, 1);
  sink.a_call = 2;
  queue.flush(sink, no_limit, ec);
  EXPECT_EQ(first.asked, 1) << "the end of the first piece waits";
  EXPECT_FALSE(queue.is_paused()) << "the sink will say when it takes more";
  sink.a_call = no_limit;
  queue.flush(sink, no_limit, ec);
  EXPECT_EQ(first.asked, 4);
  EXPECT_TRUE(first.is_gone);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(sink.got, "onetwothree");
}

/// One that is not ready before the test says so.
class late_source final : public frame_source {
public:
  explicit late_source(frame_buffer_ptr& piece) : piece_(piece) {}

  [[nodiscard]] bool is_ready() const noexcept override { return piece_ != nullptr || is_taken_; }
  [[nodiscard]] frame_buffer_ptr next() override {
    EXPECT_TRUE(is_ready());
    is_taken_ = true;
    return std::exchange(piece_, nullptr);
  }
  [[nodiscard]] std::size_t pinned_bytes() const noexcept override { return 0; }

private:
  frame_buffer_ptr& piece_;
  bool is_taken_ = false;
};

TEST_F(send_queue_test, waits_for_a_source_that_is_not_ready) {
  send_queue queue{1000};
  frame_buffer_ptr piece;
  send(queue, "a");
  queue.add(std::make_unique<late_source>(piece));
  EXPECT_EQ(send(queue, "c"), send_status::queued);
  EXPECT_EQ(queue.flush(sink, no_limit, ec), 0U);
  EXPECT_FALSE(queue.is_paused()) << "who made the source goes on with it";
  EXPECT_EQ(sink.got, "a");
  piece = pool.make("b");
  EXPECT_EQ(queue.flush(sink, no_limit, ec), 2U);
  EXPECT_EQ(sink.got, "abc");
  EXPECT_TRUE(queue.empty());
}

TEST_F(send_queue_test, does_not_wait_for_it_at_its_end) {
  send_queue queue{1000};
  frame_buffer_ptr piece;
  sink.a_call = 0;
  send(queue, "a");
  queue.add(source({"b"}, first));
  send(queue, "c");
  queue.add(std::make_unique<late_source>(piece));
  send(queue, "lost");
  queue.add(source({"lost too"}, second));
  queue.drop_unready();
  EXPECT_TRUE(second.is_gone);
  EXPECT_FALSE(first.is_gone);
  queue.send_unlimited(sink, pool.make("d"), ec);
  sink.a_call = no_limit;
  queue.flush(sink, no_limit, ec);
  EXPECT_EQ(sink.got, "abcd");
  queue.drop_unready();
  EXPECT_TRUE(queue.empty());
  queue.add(std::make_unique<late_source>(piece));
  queue.drop_unready();
  EXPECT_TRUE(queue.empty()) << "it was all that waited";
}

TEST_F(send_queue_test, sends_behind_its_sources_what_comes_later) {
  send_queue queue{1000};
  sink.a_call = 0;
  send(queue, "a");
  queue.add(source({"b", "c"}, first));
  EXPECT_EQ(send(queue, "d"), send_status::queued);
  queue.add(source({"e"}, second));
  EXPECT_EQ(send(queue, "f"), send_status::queued);
  EXPECT_EQ(send(queue, ""), send_status::sent);
  EXPECT_EQ(queue.send_unlimited(sink, pool.make("g"), ec), send_status::queued);
  EXPECT_EQ(queue.bytes(), 4U) << "in slices";
  EXPECT_GT(queue.held_bytes(), 4U);
  EXPECT_EQ(queue.pinned_bytes(), 2000U);
  sink.a_call = no_limit;
  EXPECT_EQ(queue.flush(sink, no_limit, ec), 7U);
  EXPECT_EQ(sink.got, "abcdefg");
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.has_sources());
  EXPECT_EQ(send(queue, "h"), send_status::sent);
}

TEST_F(send_queue_test, does_not_end_before_a_source_that_has_nothing) {
  send_queue queue{1000};
  queue.add(source({}, first));
  EXPECT_EQ(send(queue, "behind"), send_status::queued);
  queue.flush(sink, no_limit, ec);
  EXPECT_EQ(sink.got, "behind");
  EXPECT_TRUE(queue.empty());
}

TEST_F(send_queue_test, pauses_when_its_share_is_written) {
  send_queue queue{1000};
  queue.add(source({"one", "two", "three", "four"}, first));
  send(queue, "live");
  EXPECT_EQ(queue.flush(sink, 0, ec), 0U);
  EXPECT_TRUE(queue.is_paused());
  EXPECT_EQ(first.asked, 0) << "nothing is encoded for nothing";
  EXPECT_EQ(queue.flush(sink, 4, ec), 6U) << "whole pieces";
  EXPECT_TRUE(queue.is_paused());
  EXPECT_EQ(first.asked, 2);
  EXPECT_EQ(queue.flush(sink, no_limit, ec), 13U);
  EXPECT_FALSE(queue.is_paused());
  EXPECT_EQ(sink.got, "onetwothreefourlive");
}

TEST_F(send_queue_test, counts_slices_against_its_limit_and_sources_not) {
  send_queue queue{1000};
  sink.a_call = 0;
  queue.add(source({std::string(5000, 'a')}, first));
  queue.flush(sink, no_limit, ec);
  const std::string some(400, 'x');
  EXPECT_EQ(send(queue, some), send_status::queued) << "one always fits";
  EXPECT_EQ(send(queue, some), send_status::queued);
  EXPECT_EQ(send(queue, some), send_status::queued);
  EXPECT_FALSE(queue.is_over_limit());
  EXPECT_EQ(send(queue, some), send_status::dropped);
  EXPECT_EQ(queue.bytes(), 3 * some.size());
}

TEST_F(send_queue_test, counts_together_what_waits_before_between_and_behind_sources) {
  send_queue queue{1000};
  sink.a_call = 0;
  const std::string some(400, 'x');
  send(queue, some);
  send(queue, some);
  queue.add(source({"a"}, first));
  EXPECT_EQ(send(queue, some), send_status::queued) << "the first behind a source";
  EXPECT_EQ(send(queue, some), send_status::queued);
  queue.add(source({"b"}, second));
  EXPECT_EQ(send(queue, some), send_status::queued) << "the first behind a source";
  EXPECT_EQ(send(queue, some), send_status::dropped) << "two count before it";
  sink.a_call = no_limit;
  queue.flush(sink, no_limit, ec);
  EXPECT_EQ(sink.got, some + some + "a" + some + some + "b" + some);
}

TEST_F(send_queue_test, takes_more_up_to_its_cap_and_says_so) {
  send_queue queue{outbox_limits{1000, 2000}};
  sink.a_call = 0;
  queue.add(source({"a"}, first));
  const std::string some(400, 'x');
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(send(queue, some), send_status::queued);
  EXPECT_FALSE(queue.is_over_limit());
  EXPECT_EQ(send(queue, some), send_status::queued);
  EXPECT_TRUE(queue.is_over_limit());
  EXPECT_EQ(send(queue, some), send_status::queued);
  EXPECT_EQ(send(queue, some), send_status::dropped);
}

TEST_F(send_queue_test, drops_its_sources_with_what_is_not_started) {
  send_queue queue{1000};
  sink.a_call = 1;
  send(queue, "head");
  queue.add(source({"piece"}, first));
  send(queue, "live");
  queue.drop_unstarted();
  EXPECT_TRUE(first.is_gone);
  EXPECT_EQ(queue.bytes(), 3U);
  queue.send_unlimited(sink, pool.make("close"), ec);
  sink.a_call = no_limit;
  queue.flush(sink, no_limit, ec);
  EXPECT_EQ(sink.got, "headclose");
}

TEST_F(send_queue_test, completes_a_piece_that_is_started_and_drops_the_rest) {
  send_queue queue{1000};
  queue.add(source({"one", "two", "three"}, first));
  send(queue, "live");
  sink.a_call = 2;
  queue.flush(sink, no_limit, ec);
  queue.drop_unstarted();
  EXPECT_TRUE(first.is_gone);
  EXPECT_EQ(queue.bytes(), 1U) << "of the piece, which waits as a slice now";
  queue.send_unlimited(sink, pool.make("close"), ec);
  sink.a_call = no_limit;
  queue.flush(sink, no_limit, ec);
  EXPECT_EQ(sink.got, "oneclose");
}

TEST_F(send_queue_test, drops_a_piece_that_is_not_started) {
  send_queue queue{1000};
  queue.add(source({"one"}, first));
  sink.a_call = 0;
  queue.flush(sink, no_limit, ec);
  queue.drop_unstarted();
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(first.is_gone);
}

TEST_F(send_queue_test, is_empty_once_cleared) {
  send_queue queue{1000};
  sink.a_call = 1;
  send(queue, "head");
  queue.add(source({"one"}, first));
  send(queue, "live");
  queue.clear();
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(first.is_gone);
  EXPECT_EQ(queue.bytes(), 0U);
  EXPECT_EQ(queue.held_bytes(), 0U);
  EXPECT_EQ(queue.pinned_bytes(), 0U);
}

} // namespace
} // namespace canang::net
