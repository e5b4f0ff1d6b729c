#include "actors/room_limit.hpp"

#include <gtest/gtest.h>

namespace canang::actors {
namespace {

using namespace std::chrono_literals;

struct room_limit_test : testing::Test {
  net::loop_metrics first;
  net::loop_metrics second;
  room_limit limit{10};

  room_limit_test() {
    limit.watch(first);
    limit.watch(second);
  }

  void know(std::uint64_t on_first, std::uint64_t on_second) {
    first.known_rooms.set(on_first);
    second.known_rooms.set(on_second);
  }
};

TEST_F(room_limit_test, counts_the_rooms_of_all_loops) {
  know(4, 5);
  EXPECT_EQ(limit.excess(), 0U) << "there is a place for a tenth";
  know(4, 6);
  EXPECT_EQ(limit.excess(), 1U);
  know(7, 6);
  EXPECT_EQ(limit.excess(), 4U);
}

TEST_F(room_limit_test, knows_whether_rooms_without_members_make_a_place) {
  know(5, 5);
  EXPECT_FALSE(limit.can_give_way());
  second.idle_rooms.set(1);
  EXPECT_TRUE(limit.can_give_way());
  EXPECT_EQ(limit.idlest_loop(), 1U);
  know(6, 5);
  EXPECT_FALSE(limit.can_give_way()) << "its place is taken already";
  first.idle_rooms.set(2);
  EXPECT_TRUE(limit.can_give_way());
  EXPECT_EQ(limit.idlest_loop(), 0U);
}

TEST_F(room_limit_test, without_a_number_there_is_none) {
  room_limit none{0};
  none.watch(first);
  first.known_rooms.set(1'000'000'000);
  EXPECT_EQ(none.excess(), 0U);
}

TEST_F(room_limit_test, has_a_line_for_the_log_once_a_minute) {
  const room_limit::clock::time_point now{1h};
  EXPECT_EQ(limit.note_refusal(now), 0U);
  EXPECT_EQ(limit.note_refusal(now + 1s), std::nullopt);
  EXPECT_EQ(limit.note_refusal(now + 59s), std::nullopt);
  EXPECT_EQ(limit.note_refusal(now + 60s), 2U);
  EXPECT_EQ(limit.note_refusal(now + 61s), std::nullopt);
}

} // namespace
} // namespace canang::actors
