// Leases on a real redis-server: who is taken for dead, and what becomes of members then.

#include "cluster/rooms/room_scripts.hpp"
#include "tests/unit/support/presence_fixture.hpp"
#include "tests/unit/support/relay.hpp"

#include <algorithm>

namespace canang::cluster {
namespace {

struct redis_lease : presence_fixture {
  std::int64_t redis_now(node_under_test& by) {
    const auto time = raw(by, {"TIME"});
    return std::stoll(time) * 1000 + std::stoll(time.substr(time.find('\n') + 1)) / 1000;
  }

  std::int64_t left_of(node_under_test& by, const std::string& node) {
    return std::stoll(raw(by, {"ZSCORE", leases_of("told"), node})) - redis_now(by);
  }

  /// The first page of the script that takes a node's members out of the room.
  static std::vector<std::string_view> reap_call(std::string_view node) {
    static presence_keys at{"", "", ""};
    static roster_keys leases{"", 0, ""};
    static const auto meta = redis_key("test", partition_of("told"), "m", "told");
    at = presence_keys{"test", "told", node};
    leases = roster_keys{"test", partition_of("told"), node};
    return {"EVALSHA",    room_scripts().reap.sha(),
            "9",          at.members,
            at.counts,    at.users,
            at.grace,     at.rooms_of_node,
            at.last_call, leases.leases,
            leases.taken, meta,
            node,         "told",
            "1",          "0",
            "512"};
  }

  /// The node is cut off, and not told whether it has its leases yet, until the relay lets go.
  void make_uncertain(node_under_test& who, test::relay& between) {
    between.lose_answer_to(room_scripts().lease.sha());
    between.hold_answers_from(room_scripts().lease.sha());
    who.ahead += 2s;
    ASSERT_TRUE(until([&] { return between.has_lost() && between.is_holding(); }));
  }

  /// It is gone. The answers that were held back come after it has begun to leave.
  void leave(node_under_test& who, test::relay& between) {
    bool has_left = false;
    who.broker->leave([&] { has_left = true; });
    between.let_go();
    ASSERT_TRUE(until([&] { return has_left; }));
    who.broker.reset();
  }

  /// The lease of the room has lapsed at once, and others take out of it who was left there.
  void expect_lapsed(const std::string& room, node_under_test& by) {
    EXPECT_EQ(raw(by, {"ZSCORE", leases_of(room), "n1"}), "1");
    by.ahead += 2s;
    EXPECT_TRUE(becomes(by, room, "|"));
  }

  /// As if nobody had renewed since: both leases ended so long ago.
  void end_leases(node_under_test& by, std::chrono::milliseconds one,
                  std::chrono::milliseconds two) {
    const auto now = redis_now(by);
    in_partitions(
      by, "ZADD",
      {std::to_string(now - one.count()), "n1", std::to_string(now - two.count()), "n2"});
  }
};

TEST_F(redis_lease, time_in_which_nobody_could_renew_is_held_against_nobody) {
  auto& a = start("n1");
  auto& b = start("n2");
  open(a, "told");
  open(b, "told");
  a.join("told", 1, "ann");
  b.join("told", 2, "bob");
  ASSERT_TRUE(becomes(a, "told", "n1:1 n2:1 | n1/1=ann n2/2=bob"));
  const auto before = a.events("told");
  end_leases(a, 4s, 5s);
  a.ahead += 2s; // renews first
  rest();
  EXPECT_GT(left_of(a, "n2"), 8000) << "a whole lease to find its way back";
  b.ahead += 2s;
  rest();
  EXPECT_EQ(state(a, "told"), "n1:1 n2:1 | n1/1=ann n2/2=bob");
  EXPECT_EQ(a.events("told"), before);
  EXPECT_EQ(b.events("told"), before);
}

TEST_F(redis_lease, that_had_lapsed_before_nobody_could_renew_has_lapsed) {
  auto& a = start("n1");
  auto& b = start("n2");
  open(a, "told");
  b.join("told", 2, "bob");
  ASSERT_TRUE(hears(a, "told", {event('+', "n2/2", "bob")}));
  b.broker.reset();
  end_leases(a, 4s, 30s);
  a.ahead += 2s;
  EXPECT_TRUE(becomes(a, "told", "|"));
  EXPECT_EQ(raw(a, {"ZSCORE", leases_of("told"), "n2"}), "");
  a.ahead += 10s; // by Redis' clock nodes may still be on their way back
  rest();
  EXPECT_EQ(a.events("told").size(), 1U);
  in_partitions(a, "DEL", {}, "nodes:back");
  EXPECT_TRUE(hears(a, "told", {event('+', "n2/2", "bob"), event('-', "n2/2", "bob")}));
}

TEST_F(redis_lease, is_looked_at_by_each_step_that_takes_members_away) {
  auto& a = start("n1");
  auto& b = start("n2");
  a.join("told", 1, "ann");
  ASSERT_TRUE(becomes(b, "told", "n1:1 | n1/1=ann"));
  EXPECT_EQ(raw(b, reap_call("n1")), "alive\n");
  EXPECT_EQ(state(b, "told"), "n1:1 | n1/1=ann");
}

TEST_F(redis_lease, a_node_without_one_changes_nothing_before_it_has_another) {
  auto& a = start("n1");
  open(a, "told");
  let_lapse(a, "n1");
  const auto told = a.metrics.commands.value();
  a.join("told", 1, "ann"); // refused, then it renews at once
  EXPECT_TRUE(becomes(a, "told", "n1:1 | n1/1=ann"));
  EXPECT_TRUE(hears(a, "told", {event('+', "n1/1", "ann")}));
  EXPECT_GT(left_of(a, "n1"), 8000);
  EXPECT_LT(a.metrics.commands.value() - told, 110U) << "64 of them leases";
}

TEST_F(redis_lease, whose_answer_was_lost_tells_of_what_was_taken_all_the_same) {
  test::relay between{io, process->port()};
  auto& b = start("n2");
  auto& a = start("n1", between.port());
  open(b, "told");
  a.join("told", 1, "ann");
  ASSERT_TRUE(hears(b, "told", {event('+', "n1/1", "ann")}));
  auto asleep = std::move(a.broker);
  let_lapse(b, "n1");
  b.ahead += 2s;
  ASSERT_TRUE(hears(b, "told", {event('+', "n1/1", "ann"), event('-', "n1/1", "ann")}));
  a.broker = std::move(asleep);
  between.lose_answer_to(room_scripts().lease.sha());
  a.ahead += 2s;
  ASSERT_TRUE(until([&] { return between.has_lost(); }));
  EXPECT_TRUE(becomes(b, "told", "n1:1 | n1/1=ann"));
  EXPECT_TRUE(hears(
    b, "told", {event('+', "n1/1", "ann"), event('-', "n1/1", "ann"), event('+', "n1/1", "ann")}));
  nodes.clear();
}

TEST_F(redis_lease, of_a_node_that_leaves_unsure_of_its_members_lapses) {
  test::relay between{io, process->port()};
  auto& b = start("n2");
  auto& a = start("n1", between.port());
  open(b, "told");
  a.join("told", 1, "ann");
  ASSERT_TRUE(hears(b, "told", {event('+', "n1/1", "ann")}));
  raw(b, {"RENAME", key("u", "told", "told"), "aside"});
  raw(b, {"SET", key("u", "told", "told"), "not a hash"});
  leave(a, between);
  raw(b, {"RENAME", "aside", key("u", "told", "told")});
  expect_lapsed("told", b);
  nodes.clear();
}

/// The answer to the join came after the leave was sent, and before the answer to that.
TEST_F(redis_lease, of_a_node_that_leaves_before_its_last_joins_are_answered_lapses) {
  test::relay between{io, process->port()};
  auto& b = start("n2");
  auto& a = start("n1", between.port());
  open(b, "told");
  open(a, "told");
  between.hold_answers();
  a.join("told", 1, "ann");
  ASSERT_TRUE(hears(b, "told", {event('+', "n1/1", "ann")}));
  raw(b, {"RENAME", key("u", "told", "told"), "aside"});
  raw(b, {"SET", key("u", "told", "told"), "not a hash"});
  leave(a, between);
  raw(b, {"RENAME", "aside", key("u", "told", "told")});
  expect_lapsed("told", b);
  nodes.clear();
}

/// A Redis that took over may have lost what it had acknowledged: the member that it brings back has left.
TEST_F(redis_lease, of_a_node_that_leaves_before_it_is_certain_lapses) {
  test::relay between{io, process->port()};
  auto& b = start("n2");
  auto& a = start("n1", between.port());
  open(b, "told");
  a.join("told", 1, "ann");
  ASSERT_TRUE(hears(b, "told", {event('+', "n1/1", "ann")}));
  make_uncertain(a, between);
  raw(b, {"HSET", key("p", "told", "told"), "n1/99", "bob"});
  raw(b, {"HSET", key("u", "told", "told"), "bob", "1"});
  leave(a, between);
  expect_lapsed("told", b);
  nodes.clear();
}

/// Likewise, where nobody of the node's is in the room any more.
TEST_F(redis_lease, of_a_node_that_leaves_before_it_is_certain_of_rooms_it_left_lapses) {
  test::relay between{io, process->port()};
  auto& b = start("n2");
  auto& a = start("n1", between.port());
  a.join("quiet", 1, "ann");
  ASSERT_TRUE(becomes(b, "quiet", "n1:1 | n1/1=ann"));
  a.leave("quiet", 1);
  ASSERT_TRUE(becomes(b, "quiet", "|"));
  raw(a, {"PING"}); // the answer is with the node
  make_uncertain(a, between);
  const presence_keys at{"test", "quiet", "n1"};
  raw(b, {"HSET", at.members, "n1/1", "ann"});
  raw(b, {"HSET", at.users, "ann", "1"});
  raw(b, {"HSET", at.counts, "n1", "1"});
  raw(b, {"SADD", at.rooms_of_node, "quiet"});
  leave(a, between);
  expect_lapsed("quiet", b);
  nodes.clear();
}

TEST_F(redis_lease, of_a_node_that_leaves_before_it_knows_who_is_there_lapses) {
  auto& a = start("n1");
  auto& b = start("n2");
  a.join("told", 1, "ann");
  ASSERT_TRUE(becomes(b, "told", "n1:1 | n1/1=ann"));
  raw(b, {"HSET", key("p", "told", "told"), "n1/99", "ann"}); // whose leave was lost on the way
  raw(b, {"HSET", key("u", "told", "told"), "ann", "2"});
  in_partitions(b, "ZREM", {"n1"}); // it tells all its members anew, and looks who else is there
  a.living.clear();
  a.ahead += 2s;
  a.broker->tick();
  ASSERT_TRUE(test::run_until(io, [&] { return !a.living.empty(); }));
  bool has_left = false; // before the answer
  a.broker->leave([&] { has_left = true; });
  ASSERT_TRUE(test::run_until(io, [&] { return has_left; }));
  a.broker.reset();
  expect_lapsed("told", b);
}

TEST_F(redis_lease, a_large_room_is_taken_from_a_dead_node_in_pages) {
  constexpr std::uint64_t members = 3000;
  auto& a = start("n1");
  auto& b = start("n2");
  open(b, "told");
  for (std::uint64_t i = 1; i <= members; ++i)
    a.join("told", i, i % 2 == 0 ? "user" + std::to_string(i) : "");
  b.join("told", 7, "user8"); // who stays
  ASSERT_TRUE(until([&] { return b.events("told").size() == members; }));
  a.broker.reset();
  let_lapse(b, "n1");
  const auto page = raw(b, reap_call("n1"));
  EXPECT_NE(page.substr(0, page.find('\n')), "0") << "there is more";
  const auto taken = std::count(page.begin(), page.end(), '\n') / 2;
  EXPECT_GT(taken, 400);
  EXPECT_LT(taken, 800);
  b.ahead += 2s;
  EXPECT_TRUE(becomes(b, "told", "n2:1 | n2/7=user8"));
  ASSERT_TRUE(until([&] { return b.events("told").size() == 2 * members - 1; }));
  rest();
  EXPECT_EQ(b.events("told").size(), 2 * members - 1) << "each of them once";
}

} // namespace
} // namespace canang::cluster
