// What is kept of a room: messages, and joins and leaves, side by side.

#include "cluster/recent_publications.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace canang::cluster {
namespace {

struct recent_publications_of_a_room : testing::Test {
  recent_publications recent;
  history_limits limits{.messages = 4, .message_bytes = 100, .events = 2};
  std::uint64_t top = 0;

  static publication_ptr made(std::uint64_t offset, publication_kind kind, std::size_t size = 1) {
    auto message = std::make_shared<publication>();
    message->offset = offset;
    message->kind = kind;
    message->data.resize(size, 'x');
    return message;
  }

  /// `m` a message, `e` a join, `M` a message of 60 bytes.
  static publication_ptr made(std::uint64_t offset, char what) {
    return made(offset, what == 'e' ? publication_kind::joined : publication_kind::message,
                what == 'M' ? 60 : 1);
  }

  void push(const std::string& all) {
    for (const auto what : all)
      recent.push_back(made(++top, what), limits);
  }

  [[nodiscard]] std::string after(std::uint64_t offset) const {
    std::string text;
    for (const auto& message : recent.after(offset))
      text += (message->kind == publication_kind::message ? 'm' : 'e')
              + std::to_string(message->offset) + ' ';
    return text;
  }
};

TEST_F(recent_publications_of_a_room, joins_and_leaves_displace_no_message) {
  push("mmmeeeeeeee");
  EXPECT_EQ(after(0), "m1 m2 m3 e10 e11 ");
  EXPECT_EQ(recent.floor(), 0U) << "nothing that is missing was a message";
  EXPECT_EQ(recent.message_count(), 3U);
}

TEST_F(recent_publications_of_a_room, messages_displace_joins_only_together_with_older_messages) {
  push("emem");
  EXPECT_EQ(after(0), "e1 m2 e3 m4 ");
  push("mmm");
  EXPECT_EQ(after(0), "e3 m4 m5 m6 m7 ");
  EXPECT_EQ(recent.floor(), 2U);
  push("mmmm");
  EXPECT_EQ(after(0), "m8 m9 m10 m11 ") << "a join of before what is kept is of no use";
  EXPECT_EQ(recent.event_count(), 0U);
}

TEST_F(recent_publications_of_a_room, counts_bytes_and_knows_what_they_displaced) {
  push("mMM");
  EXPECT_EQ(after(0), "m3 ");
  EXPECT_EQ(recent.bytes(), 60U);
  EXPECT_EQ(recent.bytes_floor(), 2U);
  push("ee");
  EXPECT_EQ(recent.bytes(), 62U);
  recent.reset(top);
  EXPECT_EQ(recent.bytes(), 0U);
  EXPECT_TRUE(recent.empty());
  EXPECT_EQ(recent.floor(), 5U);
}

TEST_F(recent_publications_of_a_room, empty_messages_cost_something_too) {
  limits = history_limits::of(128, 1000);
  EXPECT_EQ(recent.cost(), 0U);
  for (int i = 0; i < 200; ++i)
    recent.push_back(made(++top, publication_kind::message, 0), limits);
  EXPECT_EQ(recent.bytes(), 0U);
  const auto each = made(1, 'm')->cost() + recent_publications::place_cost;
  EXPECT_GT(each, sizeof(publication));
  EXPECT_EQ(recent.cost(), 128 * each + recent_publications::list_cost);
  recent.reset(top);
  EXPECT_EQ(recent.cost(), 0U);
}

TEST_F(recent_publications_of_a_room, costs_what_it_keeps_whichever_way_it_came) {
  const std::vector<publication_ptr> older{made(1, 'm'), made(2, 'e'), made(3, 'M')};
  recent.reset(3);
  top = 3;
  recent.extend(older, 0, limits);
  const auto extended = recent.cost();
  recent.reset(0);
  top = 0;
  push("meM");
  EXPECT_EQ(recent.cost(), extended);
  push("mmmmee"); // all of the first ones are gone
  auto again = recent_publications{};
  for (const auto& message : recent.after(0))
    again.push_back(message, limits);
  EXPECT_EQ(recent.cost(), again.cost());
}

TEST_F(recent_publications_of_a_room, is_kept_within_a_limit_of_what_it_costs) {
  const auto each = made(1, 'm')->cost() + recent_publications::place_cost;
  limits.cost = 3 * each + recent_publications::list_cost;
  push("mmmm");
  EXPECT_EQ(after(0), "m2 m3 m4 ");
  EXPECT_EQ(recent.floor(), 1U);
  EXPECT_EQ(recent.bytes_floor(), 0U)
    << "that is for what is stored elsewhere, which has no such limit";
  limits.cost = each;
  push("m");
  EXPECT_TRUE(recent.empty()) << "not even one has room, with its list";
  EXPECT_EQ(recent.floor(), 5U);
}

TEST_F(recent_publications_of_a_room, the_last_messages_come_with_what_is_among_them) {
  push("mememe");
  EXPECT_EQ(recent.before_last(1), 3U);
  EXPECT_EQ(after(recent.before_last(1)), "e4 m5 e6 ");
  EXPECT_EQ(recent.before_last(3), 0U);
  EXPECT_EQ(recent.before_last(50), 0U);
}

TEST_F(recent_publications_of_a_room, is_extended_as_far_as_the_limits_reach) {
  recent.reset(10);
  top = 10;
  push("m"); // 11
  const std::vector<publication_ptr> older{made(2, 'm'), made(3, 'e'), made(5, 'm'),
                                           made(6, 'e'), made(9, 'm'), made(11, 'm')};
  recent.extend(older, 1, limits);
  EXPECT_EQ(after(0), "m2 e3 m5 e6 m9 m11 ");
  EXPECT_EQ(recent.floor(), 1U);
  recent.reset(11);
  limits.messages = 2;
  recent.extend(older, 1, limits);
  EXPECT_EQ(after(0), "e6 m9 m11 ");
  EXPECT_EQ(recent.floor(), 5U);
  recent.reset(11);
  limits.message_bytes = 1;
  recent.extend(older, 1, limits);
  EXPECT_EQ(after(0), "m11 ");
  EXPECT_EQ(recent.floor(), 9U);
}

TEST_F(recent_publications_of_a_room, keeps_nothing_when_told_to) {
  limits = history_limits::of(0, 1000);
  push("mem");
  EXPECT_EQ(after(0), "");
  EXPECT_EQ(recent.floor(), 3U);
  push("e");
  EXPECT_EQ(recent.floor(), 3U) << "a join that is not kept is not missed";
}

TEST(history_limits, leave_room_for_no_more_joins_than_their_bytes_allow) {
  EXPECT_EQ(events_kept(128, 512 * 1024), 128U);
  EXPECT_EQ(events_kept(1'000'000, 64UL * 1024 * 1024), 32'768U);
  EXPECT_EQ(events_kept(128, 0), 0U);
}

} // namespace
} // namespace canang::cluster
