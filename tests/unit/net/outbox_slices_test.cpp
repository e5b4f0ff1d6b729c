#include "net/limits.hpp"
#include "net/outbox.hpp"
#include "net/send_queue.hpp"
#include "tests/unit/support/fake_sink.hpp"
#include "tests/unit/support/list_source.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

using test::fake_sink;
using test::no_limit;

/// Slices of buffers that are held by the test, as the fan-out holds those of its rooms.
struct outbox_slices_test : testing::Test {
  buffer_pool pool;
  fake_sink sink;
  boost::system::error_code ec;
  std::vector<frame_buffer_ptr> buffers;
  std::vector<frame_slice> slices;

  void add(std::string_view bytes) {
    const auto& buffer = buffers.emplace_back(pool.make("--" + std::string{bytes} + "--"));
    slices.push_back({buffer.get(), 2, static_cast<std::uint32_t>(bytes.size() + 2)});
  }
};

TEST_F(outbox_slices_test, are_written_with_one_call) {
  outbox box{1000};
  for (const char* bytes : {"one", "two", "three"})
    add(bytes);
  EXPECT_EQ(box.send(sink, slices, ec), 3U);
  EXPECT_EQ(sink.got, "onetwothree");
  EXPECT_EQ(sink.calls, 1);
  EXPECT_TRUE(box.empty());
}

TEST_F(outbox_slices_test, are_kept_from_where_the_sink_takes_no_more) {
  for (const char* bytes : {"one", "two", "three"})
    add(bytes);
  for (std::size_t taken = 0; taken < 11; ++taken) {
    outbox box{1000};
    sink = {};
    sink.a_call = taken;
    EXPECT_EQ(box.send(sink, slices, ec), 3U);
    EXPECT_EQ(sink.calls, 1);
    EXPECT_EQ(sink.got.size() + box.bytes(), 11U);
    const bool cuts_one = taken != 0 && taken != 3 && taken != 6;
    EXPECT_EQ(box.started_bytes() > 0, cuts_one) << taken;
    sink.a_call = no_limit;
    box.flush(sink, ec);
    EXPECT_EQ(sink.got, "onetwothree");
  }
}

TEST_F(outbox_slices_test, are_dropped_from_the_one_that_is_too_much) {
  outbox box{400};
  sink.a_call = 0;
  for (const char letter : {'a', 'b', 'c', 'd'})
    add(std::string(150, letter));
  EXPECT_EQ(box.send(sink, slices, ec), 2U) << "the first always fits";
  EXPECT_EQ(box.send(sink, slices, ec), 0U);
  sink.a_call = no_limit;
  box.flush(sink, ec);
  EXPECT_EQ(sink.got, std::string(150, 'a') + std::string(150, 'b'));
}

TEST_F(outbox_slices_test, wait_behind_what_waits) {
  outbox box{1000};
  sink.a_call = 0;
  const auto first = pool.make("first");
  box.send(sink, first, 0, 5, ec);
  sink.calls = 0;
  add("one");
  add("two");
  EXPECT_EQ(box.send(sink, slices, ec), 2U);
  EXPECT_EQ(sink.calls, 0);
  sink.a_call = no_limit;
  box.flush(sink, ec);
  EXPECT_EQ(sink.got, "firstonetwo");
}

TEST_F(outbox_slices_test, are_more_than_a_call_takes) {
  outbox box{100'000};
  std::string all;
  for (std::size_t i = 0; i < 2 * max_pieces_a_write + 5; ++i) {
    const auto text = std::to_string(i);
    all += text;
    add(text);
  }
  EXPECT_EQ(box.send(sink, slices, ec), slices.size());
  EXPECT_EQ(sink.got, all);
  EXPECT_EQ(sink.calls, 3);
}

TEST_F(outbox_slices_test, end_at_a_fault) {
  outbox box{1000};
  add("one");
  add("two");
  sink.fails_at = 0;
  EXPECT_EQ(box.send(sink, slices, ec), 0U);
  EXPECT_TRUE(ec);
  EXPECT_TRUE(box.empty());
}

TEST_F(outbox_slices_test, wait_behind_a_source) {
  send_queue queue{1000};
  test::list_source::log seen;
  queue.add(std::make_unique<test::list_source>(pool, std::deque<std::string>{"history"}, &seen));
  add("one");
  add("two");
  EXPECT_EQ(queue.send(sink, slices, ec), 2U);
  EXPECT_EQ(sink.calls, 0);
  queue.flush(sink, no_limit, ec);
  EXPECT_EQ(sink.got, "historyonetwo");
}

} // namespace
} // namespace canang::net
