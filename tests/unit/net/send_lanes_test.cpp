#include "net/send_lanes.hpp"

#include "net/outbox.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace canang::net {
namespace {

TEST(send_lanes, begin_blocked_and_are_reused_blocked) {
  send_lanes lanes;
  const auto first = lanes.acquire();
  const auto second = lanes.acquire();
  EXPECT_NE(first, second);
  EXPECT_LT(lanes.descriptor(first), 0);
  lanes.clear(first, 7);
  lanes.clear(second, 8);
  EXPECT_EQ(lanes.descriptor(first), 7);
  lanes.block(first);
  EXPECT_LT(lanes.descriptor(first), 0);
  EXPECT_EQ(lanes.descriptor(second), 8);
  lanes.release(second);
  EXPECT_EQ(lanes.acquire(), second);
  EXPECT_LT(lanes.descriptor(second), 0);
}

TEST(send_lanes, none_is_always_blocked) {
  EXPECT_LT(send_lanes{}.descriptor(send_lanes::none), 0);
}

TEST(write_now, says_what_was_taken_and_what_went_wrong) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  EXPECT_EQ(write_now(ends[0], "abc", 3), 3);
  const std::string large(1 << 20, 'x');
  std::ptrdiff_t taken = 0;
  while ((taken = write_now(ends[0], large.data(), large.size())) > 0) {
  }
  EXPECT_EQ(taken, -EAGAIN);
  ::close(ends[1]);
  EXPECT_EQ(write_now(ends[0], "abc", 3), -EPIPE); // and no SIGPIPE
  ::close(ends[0]);
}

/// Takes everything.
struct open_sink final : byte_sink {
  std::string got;
  std::size_t write_some(const iovec* pieces, std::size_t count,
                         boost::system::error_code&) override {
    const auto before = got.size();
    for (std::size_t i = 0; i < count; ++i)
      got.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
    return got.size() - before;
  }
};

TEST(outbox_rest, is_kept_as_a_started_slice_and_sent_first) {
  buffer_pool pool;
  outbox queue{8};
  const auto buffer = pool.make("0123456789");
  queue.keep_rest(buffer, 4, 10);
  EXPECT_EQ(queue.bytes(), 6U);
  EXPECT_EQ(queue.drop_unstarted(), 0U);
  open_sink sink;
  boost::system::error_code ec;
  EXPECT_EQ(queue.flush(sink, ec), 6U);
  EXPECT_EQ(sink.got, "456789");
  EXPECT_TRUE(queue.empty());
}

TEST(outbox_rest, fits_whatever_its_size) {
  buffer_pool pool;
  outbox queue{3};
  queue.keep_rest(pool.make("0123456789"), 4, 10);
  EXPECT_EQ(queue.bytes(), 6U);
  EXPECT_FALSE(queue.is_over_limit());
}

TEST(outbox_rest, that_is_short_does_not_pin_its_buffer) {
  buffer_pool pool;
  outbox queue{1000};
  auto buffer = pool.make(std::string(100'000, 'x') + "end");
  const auto* const address = buffer.get();
  queue.keep_rest(buffer, 100'000, 100'003);
  buffer.reset();
  EXPECT_EQ(pool.make().get(), address) << "back in the pool";
  open_sink sink;
  boost::system::error_code ec;
  queue.flush(sink, ec);
  EXPECT_EQ(sink.got, "end");
}

} // namespace
} // namespace canang::net
