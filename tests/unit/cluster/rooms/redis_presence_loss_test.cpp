// Presence where an answer of Redis' is lost, refused or late: who comes and goes is told once all the same.

#include "cluster/rooms/room_scripts.hpp"
#include "tests/unit/support/presence_fixture.hpp"
#include "tests/unit/support/relay.hpp"

#include <set>

namespace canang::cluster {
namespace {

/// `a` is linked to Redis by the relay, `b` watches.
struct redis_presence_loss : presence_fixture {
  std::unique_ptr<test::relay> between;
  node_under_test* a = nullptr;
  node_under_test* b = nullptr;

  void SetUp() override {
    presence_fixture::SetUp();
    if (IsSkipped())
      return;
    EXPECT_TRUE(test::run_until(io, [&] { // it would be asked for once only
      boost::asio::basic_stream_socket<boost::asio::ip::tcp, redis_executor> probe{
        io.get_executor()};
      boost::system::error_code refused;
      probe.connect({boost::asio::ip::address_v4::loopback(), process->port()}, refused);
      return !refused;
    }));
    between = std::make_unique<test::relay>(io, process->port());
    a = &start("n1", between->port());
    b = &start("n2");
    open(*b, "told");
  }

  void TearDown() override {
    presence_fixture::TearDown();
    nodes.clear();
  }

  /// Redis does what this script is next told to, and `a` does not hear its answer.
  void lose_next(const redis_script& script) { between->lose_answer_to(script.sha()); }

  void wait_for_the_loss() {
    EXPECT_TRUE(until([&] { return between->has_lost() && !a->broker->shard().is_up(); }));
    EXPECT_TRUE(until([&] { return a->broker->shard().is_up(); }));
    rest();
  }
};

TEST_F(redis_presence_loss, a_return_in_time_is_no_join_though_the_answer_is_lost) {
  b->join("told", 1, "ann");
  ASSERT_TRUE(hears(*b, "told", {event('+', "n2/1", "ann")}));
  b->leave("told", 1);
  ASSERT_TRUE(becomes(*b, "told", "|"));
  lose_next(room_scripts().presence);
  a->join("told", 2, "ann");
  wait_for_the_loss();
  EXPECT_TRUE(becomes(*b, "told", "n1:1 | n1/2=ann"));
  EXPECT_TRUE(hears(*b, "told", {event('+', "n2/1", "ann")}));
}

TEST_F(redis_presence_loss, each_of_a_batch_is_told_as_it_was_decided_the_first_time) {
  b->join("told", 1, "ann");
  ASSERT_TRUE(hears(*b, "told", {event('+', "n2/1", "ann")}));
  b->leave("told", 1);
  ASSERT_TRUE(becomes(*b, "told", "|"));
  lose_next(room_scripts().presence);
  a->join("told", 2, "ann"); // is back
  a->join("told", 3, "bob"); // comes, with two connections
  a->join("told", 4, "bob");
  a->join("told", 5);
  EXPECT_TRUE(until([&] { return between->has_lost(); }));
  b->join("told", 6, "bob"); // the retry does not find bob alone
  a->join("told", 7, "cid"); // and has more to tell
  wait_for_the_loss();
  EXPECT_TRUE(
    becomes(*b, "told", "n1:5 n2:1 | n1/2=ann n1/3=bob n1/4=bob n1/5= n1/7=cid n2/6=bob"));
  ASSERT_TRUE(until([&] { return b->events("told").size() >= 4; }));
  rest();
  EXPECT_EQ(b->events("told"), (strings{event('+', "n2/1", "ann"), event('+', "n1/3", "bob"),
                                        event('+', "n1/5", ""), event('+', "n1/7", "cid")}));
}

TEST_F(redis_presence_loss, who_went_before_the_retry_is_told_to_have_come_and_gone) {
  lose_next(room_scripts().presence);
  a->join("told", 1, "ann");
  EXPECT_TRUE(until([&] { return between->has_lost(); }));
  a->leave("told", 1);
  wait_for_the_loss();
  EXPECT_TRUE(hears(*b, "told", {event('+', "n1/1", "ann")}));
  a->ahead += 3s;
  EXPECT_TRUE(hears(*b, "told", {event('+', "n1/1", "ann"), event('-', "n1/1", "ann")}));
}

TEST_F(redis_presence_loss, an_answer_lost_twice_is_still_told_once) {
  lose_next(room_scripts().presence);
  a->join("told", 1, "ann");
  EXPECT_TRUE(until([&] { return between->has_lost(); }));
  lose_next(room_scripts().presence);
  a->join("told", 2, "bob");
  wait_for_the_loss();
  ASSERT_TRUE(until([&] { return a->broker->shard().is_up(); }));
  EXPECT_TRUE(hears(*b, "told", {event('+', "n1/1", "ann"), event('+', "n1/2", "bob")}));
  a->join("told", 3, "cid"); // what was heard is not said again
  EXPECT_TRUE(hears(
    *b, "told", {event('+', "n1/1", "ann"), event('+', "n1/2", "bob"), event('+', "n1/3", "cid")}));
}

TEST_F(redis_presence_loss, redis_that_forgets_meanwhile_tells_a_join_again_and_loses_no_presence) {
  a->join("told", 1, "ann");
  ASSERT_TRUE(hears(*b, "told", {event('+', "n1/1", "ann")}));
  lose_next(room_scripts().presence);
  a->join("told", 2, "bob");
  EXPECT_TRUE(until([&] { return between->has_lost(); }));
  raw(*b, {"FLUSHALL"}); // as a promoted replica that lagged
  wait_for_the_loss();
  EXPECT_TRUE(becomes(*b, "told", "n1:2 | n1/1=ann n1/2=bob"));
  const auto bob = event('+', "n1/2", "bob");
  EXPECT_TRUE(hears(*b, "told", {event('+', "n1/1", "ann"), bob, bob}));
}

TEST_F(redis_presence_loss, a_call_that_comes_after_its_own_retry_does_nothing) {
  lose_next(room_scripts().presence);
  a->join("told", 1, "ann");
  EXPECT_TRUE(until([&] { return between->has_lost(); }));
  a->leave("told", 1);
  wait_for_the_loss();
  EXPECT_TRUE(becomes(*b, "told", "|"));
  const presence_keys at{"test", "told", "n1"};
  const roster_keys leases{"test", partition_of("told"), "n1"};
  const auto answer = raw(*b, {"EVALSHA",
                               room_scripts().presence.sha(),
                               "11",
                               key("m", "told", "told"),
                               key("s", "told", "told"),
                               key("v", "told", "told"),
                               at.members,
                               at.counts,
                               at.users,
                               at.grace,
                               at.rooms_of_node,
                               at.last_call,
                               leases.leases,
                               leases.taken,
                               "channel",
                               "epochepoch",
                               "1",
                               "128",
                               "128",
                               "60000",
                               "60000",
                               "n1",
                               "told",
                               "1",
                               "3000",
                               "1",
                               "1",
                               "",
                               "512",
                               "",
                               "1",
                               "ann",
                               "+",
                               "{}"}); // an old link brings it
  EXPECT_EQ(answer, "late\n");
  EXPECT_EQ(state(*b, "told"), "|");
}

TEST_F(redis_presence_loss, a_leave_whose_answer_is_lost_is_told_once) {
  a->join("told", 1, "ann");
  a->join("told", 2);
  ASSERT_TRUE(until([&] { return b->events("told").size() == 2; }));
  a->leave("told", 1);
  a->leave("told", 2);
  ASSERT_TRUE(becomes(*b, "told", "|"));
  lose_next(room_scripts().leave);
  a->ahead += 3s;
  wait_for_the_loss();
  ASSERT_TRUE(until([&] { return b->events("told").size() >= 4; }));
  rest();
  const auto all = b->events("told");
  EXPECT_EQ((std::set<std::string>{all.begin() + 2, all.end()}),
            (std::set<std::string>{event('-', "n1/1", "ann"), event('-', "n1/2", "")}));
  EXPECT_EQ(all.size(), 4U);
}

TEST_F(redis_presence_loss, who_is_back_before_a_lost_leave_is_tried_again_does_not_leave) {
  a->join("told", 1, "ann");
  ASSERT_TRUE(until([&] { return b->events("told").size() == 1; }));
  a->leave("told", 1);
  ASSERT_TRUE(becomes(*b, "told", "|"));
  lose_next(room_scripts().leave);
  a->ahead += 3s;
  EXPECT_TRUE(until([&] { return between->has_lost(); }));
  b->join("told", 2, "ann");
  wait_for_the_loss();
  ASSERT_TRUE(becomes(*b, "told", "n2:1 | n2/2=ann"));
  EXPECT_EQ(b->events("told").back().front(), '+');
}

TEST_F(redis_presence_loss, a_leave_is_not_late_because_its_room_was_busy_when_it_was_due) {
  a->join("told", 1, "ann");
  ASSERT_TRUE(until([&] { return b->events("told").size() == 1; }));
  a->leave("told", 1);
  ASSERT_TRUE(becomes(*b, "told", "|"));
  a->join("told2", 7, "bob");
  ASSERT_TRUE(becomes(*b, "told2", "n1:1 | n1/7=bob"));
  a->ahead += 2s;
  a->leave("told2", 7); // due 2 s after the other
  ASSERT_TRUE(becomes(*b, "told2", "|"));
  process->signal(SIGSTOP);
  a->join("told", 2, "cid"); // is on its way at the moment in which ann's leave is due
  a->broker->tick();
  a->ahead += 1s;
  a->broker->tick();
  const auto due = std::chrono::steady_clock::now();
  process->signal(SIGCONT);
  a->ahead += 200ms;
  ASSERT_TRUE(until([&] { return b->events("told").size() == 3; }));
  EXPECT_LT(std::chrono::steady_clock::now() - due, 2s) << "nor waits for what is due later";
  const auto all = b->events("told");
  EXPECT_EQ((std::set<std::string>{all.begin() + 1, all.end()}),
            (std::set<std::string>{event('+', "n1/2", "cid"), event('-', "n1/1", "ann")}));
}

TEST_F(redis_presence_loss, a_dead_node_is_kept_until_all_of_its_rooms_could_be_emptied) {
  b->join("told", 1, "ann");
  ASSERT_TRUE(becomes(*a, "told", "n2:1 | n2/1=ann"));
  auto& c = start("n3");
  c.join("told", 1, "bob");
  c.join("other", 2, "bob");
  ASSERT_TRUE(becomes(*b, "told", "n2:1 n3:1 | n2/1=ann n3/1=bob"));
  ASSERT_TRUE(becomes(*b, "other", "n3:1 | n3/2=bob"));
  a->broker.reset();
  c.broker.reset();
  const auto rooms = key("r", "n3", "told");
  const auto users = key("u", "other", "other");
  raw(*b, {"RENAME", rooms, rooms + ":aside"});
  raw(*b, {"SET", rooms, "not a set"}); // SSCAN is refused
  raw(*b, {"RENAME", users, users + ":aside"});
  raw(*b, {"SET", users, "not a hash"}); // and so is the script
  let_lapse(*b, "n3");
  in_partitions(*b, "ZREM", {"n1"});
  const auto reap_again = [&] {
    in_partitions(*b, "DEL", {}, "reap:n3"); // the lock's time is over
    b->ahead += 2s;
    rest();
  };
  reap_again();
  EXPECT_NE(holders(*b), "n2:64 ");
  raw(*b, {"RENAME", rooms + ":aside", rooms});
  reap_again();
  EXPECT_TRUE(becomes(*b, "told", "n2:1 | n2/1=ann"));
  EXPECT_NE(holders(*b), "n2:64 ");
  raw(*b, {"RENAME", users + ":aside", users});
  reap_again();
  EXPECT_TRUE(becomes(*b, "other", "|"));
  ASSERT_TRUE(until([&] { return holders(*b) == "n2:64 "; }));
}

TEST_F(redis_presence_loss, leaves_of_a_dead_node_whose_reaper_did_not_hear_are_told_by_a_sweep) {
  auto& c = start("n3");
  c.join("told", 1, "ann");
  ASSERT_TRUE(hears(*b, "told", {event('+', "n3/1", "ann")}));
  c.broker.reset();
  let_lapse(*b, "n3");
  lose_next(room_scripts().reap);
  a->ahead += 2s;
  EXPECT_TRUE(until([&] { return between->has_lost(); }));
  EXPECT_TRUE(becomes(*b, "told", "|"));
  EXPECT_TRUE(hears(*b, "told", {event('+', "n3/1", "ann"), event('-', "n3/1", "ann")}));
}

} // namespace
} // namespace canang::cluster
