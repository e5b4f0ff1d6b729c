#include "bench/load/plan.hpp"

#include "bench/load/publisher.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace canang::load {
namespace {

options base() {
  options o;
  o.urls = {"ws://127.0.0.1:1/ws", "ws://127.0.0.1:2/ws"};
  o.rooms = 10;
  o.connections = 103;
  o.publishers = 2;
  return o;
}

TEST(plan, spreads_connections_over_rooms_and_servers) {
  const auto p = make_plan(base(), 1);
  ASSERT_EQ(p.members.size(), 103U);
  EXPECT_EQ(p.rooms[0].readers, 11U);
  EXPECT_EQ(p.rooms[9].readers, 10U);
  EXPECT_EQ(p.rooms[3].name, "load-3");
  const auto first = std::count_if(p.members.begin(), p.members.end(),
                                   [](const member_plan& m) { return m.server == 0; });
  EXPECT_NEAR(static_cast<double>(first), 51.5, 3.0);
}

TEST(plan, names_no_room_that_nobody_joins) {
  auto o = base();
  o.no_room = true;
  for (const auto& room : make_plan(o, 1).rooms)
    EXPECT_EQ(room.name, "");
}

TEST(plan, lets_the_last_members_of_each_room_publish) {
  const auto p = make_plan(base(), 1);
  for (std::size_t m = 0; m < p.members.size(); ++m) {
    const bool last = m + 1 == p.members.size() || p.members[m + 1].room != p.members[m].room;
    EXPECT_EQ(p.members[m].publisher == 1, last) << m;
  }
}

TEST(plan, puts_publishers_on_a_server_of_their_own_and_has_a_witness_elsewhere) {
  auto o = base();
  o.publish_url = "ws://127.0.0.1:3/ws";
  const auto p = make_plan(o, 1);
  ASSERT_EQ(p.servers.size(), 3U);
  for (std::size_t m = 0; m < p.members.size(); ++m) {
    const auto& member = p.members[m];
    EXPECT_EQ(member.server == 2, member.publisher >= 0) << m;
    EXPECT_EQ(member.measured, member.publisher < 0) << m;
    const bool before_publishers = m + 1 < p.members.size() && p.members[m + 1].publisher == 0;
    EXPECT_EQ(member.witness, before_publishers) << m;
  }
}

TEST(plan, has_no_witness_where_publishers_are_among_the_others) {
  for (const auto& m : make_plan(base(), 1).members)
    EXPECT_TRUE(m.measured && !m.witness);
}

TEST(plan, stalls_the_wanted_share_but_no_publisher) {
  for (double percent : {1.0, 10.0, 50.0}) {
    auto o = base();
    o.stalled_percent = percent;
    const auto p = make_plan(o, 1);
    EXPECT_EQ(p.stalled, static_cast<std::uint32_t>(103 * percent / 100));
    std::uint32_t readers = 0;
    for (const auto& r : p.rooms)
      readers += r.readers;
    EXPECT_EQ(readers, 103 - p.stalled);
    for (const auto& m : p.members)
      EXPECT_FALSE(m.stalled && m.publisher >= 0);
  }
}

TEST(pacer, keeps_to_the_timetable_however_late_it_is) {
  pacer p{1'000, 1'000.0, 0.5};
  EXPECT_EQ(p.due_ns(), 1'000U + 500'000U);
  for (int i = 0; i < 1'000'000; ++i)
    p.advance();
  EXPECT_EQ(p.due_ns(), 1'000U + 500'000U + 1'000'000'000'000U);
}

TEST(publisher, keeps_to_its_window_and_limit) {
  publisher p;
  p.window = 2;
  p.limit = 3;
  EXPECT_TRUE(p.may_send());
  p.sent = 2;
  EXPECT_FALSE(p.may_send());
  p.echoed = 1;
  EXPECT_TRUE(p.may_send());
  p.sent = 3;
  p.echoed = 3;
  EXPECT_FALSE(p.may_send());
}

} // namespace
} // namespace canang::load
