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

TEST(buffer_pool, keeps_no_more_bytes_than_it_may) {
  buffer_pool pool;
  std::vector<frame_buffer_ptr> buffers;
  for (std::size_t i = 0; i < max_pooled_buffers; ++i) {
    buffers.push_back(pool.make());
    buffers.back()->bytes().reserve(max_pooled_buffer_bytes);
  }
  EXPECT_EQ(pool.bytes(), 0U) << "those that are in use do not count";
  buffers.clear();
  EXPECT_EQ(pool.bytes(), max_pooled_bytes);
}

TEST(buffer_pool, lets_go_of_what_nobody_needed_since_it_was_trimmed_last) {
  buffer_pool pool;
  {
    std::vector<frame_buffer_ptr> buffers;
    for (int i = 0; i < 10; ++i)
      buffers.push_back(pool.make(std::string(1000, 'x')));
  }
  pool.trim(); // they all were in use since the beginning
  EXPECT_GE(pool.bytes(), 10'000U);
  {
    const auto one = pool.make();
    const auto two = pool.make();
  }
  pool.trim();
  EXPECT_GE(pool.bytes(), 2000U);
  EXPECT_LT(pool.bytes(), 4000U) << "two of ten were needed";
  pool.trim();
  EXPECT_EQ(pool.bytes(), 0U);
  EXPECT_EQ(pool.make("again")->size(), 5U);
}

TEST(frame_buffer, gives_unused_memory_back_when_it_is_trimmed) {
  buffer_pool pool;
  const auto buffer = pool.make(std::string(1000, 'x'));
  buffer->bytes().reserve(100'000);
  buffer->trim();
  EXPECT_LT(buffer->capacity(), 1400U);
  EXPECT_EQ(buffer->bytes(), std::string(1000, 'x'));
}

TEST(frame_buffer, is_copied_in_part_to_one_that_is_not_kept_for_reuse) {
  buffer_pool pool;
  const auto buffer = pool.make("0123456789");
  auto part = buffer->copy(3, 6);
  EXPECT_TRUE(part->is_copy());
  EXPECT_FALSE(buffer->is_copy());
  EXPECT_EQ(part->bytes(), "345");
  part->append(std::string(50, 'x'), 60);
  EXPECT_EQ(part->bytes(), "345" + std::string(50, 'x'));
  EXPECT_LE(part->capacity(), 60U);
  part.reset();
  EXPECT_EQ(pool.bytes(), 0U);
}

TEST(held_buffer, counts_the_memory_of_its_buffer_once_however_many_hold_it) {
  counter held;
  buffer_pool pool{held};
  auto buffer = pool.make(std::string(10'000, 'x'));
  EXPECT_EQ(held.value(), 0U) << "nobody waits for it";
  {
    const held_buffer one{buffer};
    const auto alone = held.value();
    EXPECT_GE(alone, 10'000U);
    {
      held_buffer two{buffer};
      held_buffer moved{std::move(two)};
      EXPECT_EQ(held.value(), alone + slice_entry_bytes);
      moved.reset();
      EXPECT_EQ(held.value(), alone);
    }
    buffer.reset();
    EXPECT_EQ(held.value(), alone);
  }
  EXPECT_EQ(held.value(), 0U);
}

} // namespace
} // namespace canang::net
