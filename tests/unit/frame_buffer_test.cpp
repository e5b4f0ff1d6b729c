#include "net/frame_buffer.hpp"

#include "net/limits.hpp"

#include <gtest/gtest.h>

namespace canang::net {
namespace {

TEST(buffer_pool, makes_an_empty_buffer) {
  buffer_pool pool;
  EXPECT_EQ(pool.make()->size(), 0U);
}

TEST(buffer_pool, makes_a_buffer_that_holds_what_it_is_given) {
  buffer_pool pool;
  const auto buffer = pool.make(std::string_view{"some\0bytes", 10});
  EXPECT_EQ(buffer->size(), 10U);
  EXPECT_EQ(std::string(buffer->data(), buffer->size()), std::string("some\0bytes", 10));
}

TEST(buffer_pool, gives_a_returned_buffer_out_again_empty_with_its_memory) {
  buffer_pool pool;
  auto first = pool.make(std::string(1000, 'x'));
  const auto* const address = first.get();
  first.reset();
  const auto second = pool.make();
  EXPECT_EQ(second.get(), address);
  EXPECT_EQ(second->size(), 0U);
  EXPECT_GE(second->bytes().capacity(), 1000U);
}

TEST(buffer_pool, keeps_a_buffer_until_its_last_reference_goes) {
  buffer_pool pool;
  auto first = pool.make("shared");
  auto second = first;
  const auto third = second;
  first.reset();
  EXPECT_NE(pool.make().get(), third.get());
  second.reset();
  EXPECT_NE(pool.make().get(), third.get());
  EXPECT_EQ(std::string_view(third->data(), third->size()), "shared");
}

TEST(buffer_pool, gives_each_buffer_to_one_at_a_time) {
  buffer_pool pool;
  pool.make("one").reset();
  const auto a = pool.make("a");
  const auto b = pool.make("b");
  EXPECT_NE(a.get(), b.get());
}

TEST(buffer_pool, keeps_a_buffer_of_the_largest_pooled_size) {
  buffer_pool pool;
  auto buffer = pool.make();
  buffer->bytes().reserve(max_pooled_buffer_bytes);
  ASSERT_EQ(buffer->bytes().capacity(), max_pooled_buffer_bytes);
  buffer.reset();
  EXPECT_EQ(pool.make()->bytes().capacity(), max_pooled_buffer_bytes);
}

TEST(buffer_pool, frees_a_larger_one) {
  buffer_pool pool;
  pool.make(std::string(max_pooled_buffer_bytes + 1, 'x')).reset();
  EXPECT_LT(pool.make()->bytes().capacity(), 1000U);
}

TEST(buffer_pool, keeps_no_more_than_its_count) {
  buffer_pool pool;
  std::vector<frame_buffer_ptr> buffers;
  for (std::size_t i = 0; i < max_pooled_buffers * 2; ++i)
    buffers.push_back(pool.make(std::string(1000, 'x')));
  buffers.clear();
  std::size_t reused = 0;
  for (std::size_t i = 0; i < max_pooled_buffers * 2; ++i) {
    buffers.push_back(pool.make());
    reused += buffers.back()->bytes().capacity() >= 1000 ? 1 : 0;
  }
  EXPECT_EQ(reused, max_pooled_buffers);
}

} // namespace
} // namespace canang::net
