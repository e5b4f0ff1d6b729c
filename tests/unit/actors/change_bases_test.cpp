#include "actors/change_bases.hpp"

#include "net/limits.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace canang::actors {
namespace {

struct change_bases_test : testing::Test {
  net::loop_context context{{}};
  change_bases bases{context};

  void set(room_id room, std::string data) {
    auto made = std::make_shared<cluster::publication>();
    made->data = std::move(data);
    bases.set(room, made);
  }

  std::string of(room_id room) const {
    const auto* const found = bases.of(room);
    return found == nullptr ? "none" : found->data.substr(0, 10);
  }

  std::uint64_t held() const { return context.metrics.outbox_memory_bytes.value(); }
};

TEST_F(change_bases_test, has_the_last_one_of_each_room) {
  EXPECT_EQ(of(1), "none");
  set(1, "a");
  set(2, "b");
  set(1, "c");
  EXPECT_EQ(of(1), "c");
  EXPECT_EQ(of(2), "b");
  bases.let_go(1);
  bases.let_go(1);
  EXPECT_EQ(of(1), "none");
  EXPECT_GT(held(), 0U);
  bases.let_go(2);
  EXPECT_EQ(held(), 0U);
}

TEST_F(change_bases_test, has_none_where_the_last_one_is_too_large) {
  set(1, std::string(net::max_change_bytes, 'x'));
  EXPECT_EQ(of(1), "xxxxxxxxxx");
  set(1, std::string(net::max_change_bytes + 1, 'x'));
  EXPECT_EQ(of(1), "none");
  EXPECT_EQ(held(), 0U);
}

TEST_F(change_bases_test, lets_go_of_the_longest_quiet_room_over_its_limit) {
  const std::string large(net::max_change_bytes, 'x');
  const auto room_count = net::max_change_bases_bytes / net::max_change_bytes + 1;
  for (room_id room = 1; room < room_count; ++room) {
    set(room, large);
    set(100'000, "busy");
  }
  EXPECT_LE(held(), net::max_change_bases_bytes);
  EXPECT_GT(held(), net::max_change_bases_bytes / 2);
  EXPECT_EQ(of(1), "none");
  EXPECT_EQ(of(100'000), "busy");
  bases.let_go_all();
  EXPECT_EQ(of(100'000), "none");
  EXPECT_EQ(held(), 0U);
}

} // namespace
} // namespace canang::actors
