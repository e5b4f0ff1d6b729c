// Presence, leases and leaves of several nodes that share a real redis-server.

#include "tests/unit/support/presence_fixture.hpp"

#include <set>

namespace canang::cluster {
namespace {

using redis_presence_test = presence_fixture;

TEST_F(redis_presence_test, all_nodes_see_the_same_counts_and_members) {
  auto& a = start("n1");
  auto& b = start("n2");
  a.join("r", 1, "ann");
  a.join("r", 2);
  b.join("r", 1, "bob");
  EXPECT_TRUE(becomes(a, "r", "n1:2 n2:1 | n1/1=ann n1/2= n2/1=bob"));
  EXPECT_EQ(state(b, "r"), state(a, "r"));
  a.leave("r", 1);
  EXPECT_TRUE(becomes(b, "r", "n1:1 n2:1 | n1/2= n2/1=bob"));
  a.leave("r", 2);
  b.leave("r", 1);
  EXPECT_TRUE(becomes(b, "r", "|"));
  for (const std::string_view kind : {"p", "n", "u", "g"})
    EXPECT_EQ(raw(a, {"EXISTS", key(kind, "r", "r")}), "0") << kind;
  EXPECT_EQ(raw(a, {"EXISTS", key("r", "n1", "r")}), "0");
}

TEST_F(redis_presence_test, a_room_without_presence_is_counted_only) {
  settings.rules.presence = {"kept"};
  auto& a = start("n1");
  a.join("r", 1, "ann");
  a.join("r", 2, "bob");
  EXPECT_TRUE(becomes(a, "r", "n1:2 |"));
  a.leave("r", 1);
  EXPECT_TRUE(becomes(a, "r", "n1:1 |"));
  EXPECT_EQ(raw(a, {"EXISTS", key("p", "r", "r")}), "0");
}

TEST_F(redis_presence_test, a_storm_of_joins_is_few_commands) {
  auto& a = start("n1");
  const auto before = a.metrics.commands.value();
  for (std::uint64_t i = 0; i < 10'000; ++i)
    a.join("r", i, "user" + std::to_string(i));
  ASSERT_TRUE(until([&] { return a.metrics.commands.value() > before; }));
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (raw({"HLEN", key("p", "r", "r")}) != "10000" && std::chrono::steady_clock::now() < end)
    rest();
  EXPECT_LT(a.metrics.commands.value() - before, 150U);
  EXPECT_EQ(report(a, "r").members_by_node[0].second, 10'000U);
  EXPECT_EQ(report(a, "r").members.size(), 10'000U);
}

/// Where nothing is published a room is held by its nodes; a join is a publication, and keeps it.
TEST_F(redis_presence_test, a_join_that_is_told_is_what_keeps_a_room) {
  auto& a = start("n1");
  const auto meta = [&](std::string_view room) { return key("m", room, room); };
  open(a, "told");
  open(a, "r");
  EXPECT_EQ(raw(a, {"HMGET", meta("told"), "o", "h"}), "0\nn1,\n");
  a.join("told", 1, "ann");
  a.join("r", 2, "ann");
  ASSERT_TRUE(hears(a, "told", {event('+', "n1/1", "ann")}));
  ASSERT_TRUE(becomes(a, "r", "n1:1 | n1/2=ann"));
  EXPECT_EQ(raw(a, {"HMGET", meta("told"), "o", "h"}), "1\n\n");
  EXPECT_EQ(raw(a, {"HMGET", meta("r"), "o", "h"}), "0\nn1,\n");
  for (const std::string room : {"told", "r"}) {
    a.leave(room, 1);
    a.leave(room, 2);
    a.close(room);
    ASSERT_TRUE(becomes(a, room, "|"));
  }
  EXPECT_EQ(raw(a, {"EXISTS", meta("r")}), "0");
  EXPECT_EQ(raw(a, {"HGET", meta("told"), "o"}), "1") << "as of a room with a history";
  EXPECT_GT(std::stoll(raw(a, {"PTTL", meta("told")})), 3'600'000);
}

TEST_F(redis_presence_test, a_room_of_a_dead_node_goes_with_its_members) {
  auto& a = start("n1");
  auto& b = start("n2");
  for (const std::string room : {"left", "shared"}) {
    open(b, room);
    b.join(room, 1, "ann");
    ASSERT_TRUE(becomes(a, room, "n2:1 | n2/1=ann"));
  }
  open(a, "shared");
  b.broker.reset();
  let_lapse(a, "n2");
  a.ahead += 2s;
  for (const std::string room : {"left", "shared"})
    ASSERT_TRUE(becomes(a, room, "|"));
  EXPECT_TRUE(until([&] { return holders(a) == "n1:64 "; }));
  EXPECT_EQ(raw(a, {"EXISTS", key("m", "left", "left")}), "0");
  EXPECT_EQ(raw(a, {"HGET", key("m", "shared", "shared"), "h"}), "n1,");
}

TEST_F(redis_presence_test, coming_and_going_is_told_in_one_order_on_all_nodes) {
  auto& a = start("n1");
  auto& b = start("n2");
  open(a, "told");
  open(b, "told");
  a.join("told", 1, "ann");
  ASSERT_TRUE(hears(b, "told", {event('+', "n1/1", "ann")}));
  b.join("told", 7, "ann"); // known by its name
  b.join("told", 8, "bob");
  ASSERT_TRUE(hears(a, "told", {event('+', "n1/1", "ann"), event('+', "n2/8", "bob")}));
  a.leave("told", 1);
  rest();
  a.ahead += 4s; // the grace is over by its clock; ann is there still, by the other connection
  rest();
  b.leave("told", 7);
  b.leave("told", 8);
  ASSERT_TRUE(becomes(a, "told", "|"));
  b.ahead += 3s; // at once: nobody waits for more than the grace
  ASSERT_TRUE(until([&] { return a.events("told").size() == 4; }));
  const auto all = a.events("told");
  const std::set<std::string> left{all[2], all[3]};
  EXPECT_EQ(left, (std::set<std::string>{event('-', "n2/7", "ann"), event('-', "n2/8", "bob")}));
  EXPECT_TRUE(hears(b, "told", all)) << "the same order";
  std::uint64_t offset = 0;
  for (const auto& message : a.rooms["told"].publications)
    EXPECT_EQ(message->offset, ++offset);
  EXPECT_TRUE(a.rooms["told"].outcomes.empty()) << "the room published nothing itself";
}

TEST_F(redis_presence_test, a_connection_that_was_back_has_the_whole_grace_when_it_leaves_again) {
  auto& a = start("n1");
  open(a, "told");
  a.join("told", 1, "ann");
  ASSERT_TRUE(hears(a, "told", {event('+', "n1/1", "ann")}));
  a.leave("told", 1);
  ASSERT_TRUE(becomes(a, "told", "|"));
  a.ahead += 2s;
  a.join("told", 1, "ann");
  ASSERT_TRUE(becomes(a, "told", "n1:1 | n1/1=ann"));
  a.leave("told", 1);
  ASSERT_TRUE(becomes(a, "told", "|"));
  a.ahead += 2s; // the first grace is over, the second is not
  rest();
  EXPECT_EQ(a.events("told").size(), 1U);
  a.ahead += 1500ms;
  EXPECT_TRUE(hears(a, "told", {event('+', "n1/1", "ann"), event('-', "n1/1", "ann")}));
}

TEST_F(redis_presence_test, who_is_back_in_time_on_any_node_is_not_told_of) {
  auto& a = start("n1");
  auto& b = start("n2");
  open(b, "told");
  a.join("told", 1, "ann");
  ASSERT_TRUE(hears(b, "told", {event('+', "n1/1", "ann")}));
  a.leave("told", 1);
  ASSERT_TRUE(becomes(b, "told", "|"));
  b.join("told", 9, "ann");
  ASSERT_TRUE(becomes(a, "told", "n2:1 | n2/9=ann"));
  a.ahead += 4s;
  rest();
  EXPECT_EQ(b.events("told").size(), 1U);
  b.leave("told", 9);
  ASSERT_TRUE(becomes(a, "told", "|"));
  b.ahead += 4s;
  EXPECT_TRUE(hears(b, "told", {event('+', "n1/1", "ann"), event('-', "n2/9", "ann")}));
}

TEST_F(redis_presence_test, who_names_no_user_is_told_of_by_connection) {
  auto& a = start("n1");
  auto& b = start("n2");
  open(b, "told");
  a.join("told", 1);
  b.join("told", 1);
  ASSERT_TRUE(until([&] { return b.events("told").size() == 2; }));
  a.leave("told", 1);
  ASSERT_TRUE(becomes(b, "told", "n2:1 | n2/1="));
  a.ahead += 3s;
  ASSERT_TRUE(until([&] { return b.events("told").size() == 3; }));
  EXPECT_EQ(b.events("told")[2], event('-', "n1/1", ""));
}

TEST_F(redis_presence_test, coming_and_going_displaces_no_message_and_is_bounded) {
  auto& a = start("n1");
  auto& b = start("n2");
  open(a, "told");
  for (int i = 0; i < 128; ++i)
    a.publish("told", std::to_string(i));
  ASSERT_TRUE(until([&] { return a.rooms["told"].publications.size() == 128; }));
  const std::string before{a.rooms["told"].publications[0]->epoch};
  for (std::uint64_t i = 0; i < 400; ++i) {
    b.join("told", i, "user" + std::to_string(i));
    if (i == 200) { // in two steps
      ASSERT_TRUE(until([&] { return a.events("told").size() == 201; }));
    }
  }
  ASSERT_TRUE(until([&] { return a.events("told").size() == 400; }));
  EXPECT_EQ(raw(a, {"XLEN", key("v", "told", "told")}), "128");
  for (auto* const who : {&a, &b}) { // one from its window, one from Redis
    open(*who, who == &a ? "elsewhere" : "told");
    history_page page;
    bool is_here = false;
    who->channel("told").recover({position{before, 0}, 0}, [&](history_page&& got) {
      page = std::move(got);
      is_here = true;
    });
    ASSERT_TRUE(until([&] { return is_here; }));
    EXPECT_TRUE(page.recovered);
    ASSERT_EQ(page.publications.size(), 256U);
    EXPECT_EQ(page.publications[127]->data, "127");
    EXPECT_EQ(page.publications[128]->offset, 401U) << "of 400 joins the last 128";
    EXPECT_EQ(page.publications.back()->offset, 528U);
  }
  for (std::uint64_t i = 1; i <= 200; ++i) { // one at a time: an entry each
    a.publish("told", "later");
    if (i % 20 == 0)
      b.join("told", 1000 + i);
    ASSERT_TRUE(until([&] { return a.rooms["told"].outcomes.size() == 128 + i; }));
  }
  const auto stored = std::stoull(raw(a, {"XLEN", key("s", "told", "told")}));
  EXPECT_GE(stored, 128U);
  EXPECT_LE(stored, 128U + 16U) << "the oldest part goes as a whole";
}

TEST_F(redis_presence_test, the_dead_are_taken_away_and_their_leaves_told) {
  auto& a = start("n1");
  auto& b = start("n2");
  open(b, "told");
  a.join("told", 1, "ann");
  a.join("told", 2);
  a.join("told", 3, "bob");
  a.join("quiet", 4, "ann");
  ASSERT_TRUE(until([&] { return b.events("told").size() == 3; }));
  b.join("told", 5, "bob"); // bob lives here too
  ASSERT_TRUE(becomes(b, "told", "n1:3 n2:1 | n1/1=ann n1/2= n1/3=bob n2/5=bob"));
  EXPECT_EQ(b.living.size(), 2U);
  a.broker.reset();                   // killed: it says nothing
  EXPECT_EQ(let_lapse(b, "n1"), "0"); // its time is over
  b.ahead += 2s;
  ASSERT_TRUE(becomes(b, "told", "n2:1 | n2/5=bob"));
  ASSERT_TRUE(becomes(b, "quiet", "|"));
  ASSERT_TRUE(until([&] { return b.events("told").size() == 5; }));
  const auto all = b.events("told");
  const std::set<std::string> left{all[3], all[4]};
  EXPECT_EQ(left, (std::set<std::string>{event('-', "n1/1", "ann"), event('-', "n1/2", "")}));
  rest();
  EXPECT_EQ(holders(b), "n2:64 ");
  EXPECT_EQ(raw(b, {"HKEYS", "test:{p00}:nodes:info"}), "n2\n");
  EXPECT_EQ(raw(b, {"EXISTS", key("r", "n1", "told")}), "0");
  b.ahead += 2s;
  ASSERT_TRUE(until([&] { return b.living.size() == 1; }));
}

TEST_F(redis_presence_test, a_node_that_was_only_asleep_brings_its_members_back) {
  auto& a = start("n1");
  auto& b = start("n2");
  open(b, "told");
  a.join("told", 1, "ann");
  b.join("told", 2, "bob");
  a.join("told", 3, "bob");
  ASSERT_TRUE(becomes(b, "told", "n1:2 n2:1 | n1/1=ann n1/3=bob n2/2=bob"));
  auto asleep = std::move(a.broker); // it does not tick, and its link is quiet
  let_lapse(b, "n1");
  b.ahead += 2s;
  ASSERT_TRUE(becomes(b, "told", "n2:1 | n2/2=bob"));
  ASSERT_TRUE(until([&] { return b.living.size() == 1 || (b.ahead += 1s, false); }));
  a.broker = std::move(asleep);
  a.ahead += 2s;
  ASSERT_TRUE(becomes(b, "told", "n1:2 n2:1 | n1/1=ann n1/3=bob n2/2=bob"));
  a.leave("told", 1);
  ASSERT_TRUE(becomes(b, "told", "n1:1 n2:1 | n1/3=bob n2/2=bob"));
  a.broker.reset(); // and this time it dies, in the grace
  raw(b, {"HSET", key("g", "told", "told"), "ann", "1:n1/1"});
  ASSERT_TRUE(until([&] { return b.events("told").size() == 5; }));
  const auto all = b.events("told");
  EXPECT_EQ(
    (strings{all.begin() + 2, all.end()}),
    (strings{event('-', "n1/1", "ann"), event('+', "n1/1", "ann"), event('-', "n1/1", "ann")}));
}

TEST_F(redis_presence_test, leaves_that_a_dead_node_owed_are_told_by_others) {
  auto& a = start("n1");
  auto& b = start("n2");
  open(b, "told");
  a.join("told", 1, "ann");
  a.join("told", 2);
  ASSERT_TRUE(until([&] { return b.events("told").size() == 2; }));
  a.leave("told", 1);
  a.leave("told", 2);
  ASSERT_TRUE(becomes(b, "told", "|"));
  a.broker.reset();
  const auto grace = key("g", "told", "told");
  EXPECT_EQ(raw(b, {"HLEN", grace}), "2");
  rest();
  EXPECT_EQ(b.events("told").size(), 2U) << "not due";
  raw(b, {"HSET", grace, "ann", "1:n1/1"});
  raw(b, {"HSET", grace, std::string_view{"\0n1/2", 5}, "1:n1/2"});
  ASSERT_TRUE(until([&] { return b.events("told").size() == 4; }));
  const auto all = b.events("told");
  const std::set<std::string> left{all[2], all[3]};
  EXPECT_EQ(left, (std::set<std::string>{event('-', "n1/1", "ann"), event('-', "n1/2", "")}));
  EXPECT_EQ(raw(b, {"EXISTS", grace}), "0");
}

const std::string ann = who_text({"ann", R"({"name":"Ann"})", "[1]"});
const std::string guest = who_text({"", "", R"({"seat":2})"});

TEST_F(redis_presence_test, what_tokens_say_of_a_member_is_told_on_all_nodes) {
  auto& a = start("n1");
  auto& b = start("n2");
  open(b, "told");
  a.join("told", 1, ann);
  a.join("told", 2, guest);
  a.join("told", 3, "bob");
  ASSERT_TRUE(becomes(b, "told", R"(n1:3 | n1/1=ann{"name":"Ann"}[1] n1/2={"seat":2} n1/3=bob)"));
  EXPECT_EQ(raw(a, {"HGET", key("p", "told", "told"), "n1/3"}), "bob") << "as before";
  b.join("told", 4, who_text({"ann", R"({"name":"Ann, too"})", ""})); // known by its name
  ASSERT_TRUE(hears(
    b, "told", {event('+', "n1/1", ann), event('+', "n1/2", guest), event('+', "n1/3", "bob")}));
  a.leave("told", 1);
  a.leave("told", 2);
  ASSERT_TRUE(becomes(b, "told", R"(n1:1 n2:1 | n1/3=bob n2/4=ann{"name":"Ann, too"})"));
  a.ahead += 4s;
  ASSERT_TRUE(until([&] { return b.events("told").size() == 4; }));
  rest();
  EXPECT_EQ(b.events("told").size(), 4U) << "ann is there still";
  EXPECT_EQ(b.events("told")[3], event('-', "n1/2", guest));
  EXPECT_EQ(raw(a, {"HMGET", key("u", "told", "told"), "ann", "bob"}), "1\n1\n");
  EXPECT_EQ(raw(a, {"HLEN", key("u", "told", "told")}), "2");
}

TEST_F(redis_presence_test, what_tokens_said_of_those_of_a_dead_node_is_told_with_their_leaves) {
  auto& a = start("n1");
  auto& b = start("n2");
  open(b, "told");
  a.join("told", 1, ann);
  a.join("told", 2, guest);
  ASSERT_TRUE(until([&] { return b.events("told").size() == 2; }));
  a.broker.reset();
  let_lapse(b, "n1");
  b.ahead += 2s;
  ASSERT_TRUE(becomes(b, "told", "|"));
  ASSERT_TRUE(until([&] { return b.events("told").size() == 4; }));
  const auto all = b.events("told");
  EXPECT_EQ((std::set<std::string>{all[2], all[3]}),
            (std::set<std::string>{event('-', "n1/1", ann), event('-', "n1/2", guest)}));
  EXPECT_EQ(raw(b, {"EXISTS", key("u", "told", "told")}), "0") << "counted by name";
}

TEST_F(redis_presence_test, what_tokens_said_is_told_with_leaves_that_a_dead_node_owed) {
  auto& a = start("n1");
  auto& b = start("n2");
  open(b, "told");
  a.join("told", 1, ann);
  a.join("told", 2, guest);
  ASSERT_TRUE(until([&] { return b.events("told").size() == 2; }));
  a.leave("told", 1);
  a.leave("told", 2);
  ASSERT_TRUE(becomes(b, "told", "|"));
  a.broker.reset();
  const auto grace = key("g", "told", "told");
  const std::string_view nameless{"\0n1/2", 5};
  const auto overdue = [&](std::string_view whose) {
    auto waits = raw(b, {"HGET", grace, whose});
    return "1" + waits.substr(waits.find(':')); // as it was written, long ago
  };
  raw(b, {"HSET", grace, "ann", overdue("ann")});
  raw(b, {"HSET", grace, nameless, overdue(nameless)});
  ASSERT_TRUE(until([&] { return b.events("told").size() == 4; }));
  const auto all = b.events("told");
  EXPECT_EQ((std::set<std::string>{all[2], all[3]}),
            (std::set<std::string>{event('-', "n1/1", ann), event('-', "n1/2", guest)}));
  EXPECT_EQ(raw(b, {"EXISTS", grace}), "0");
}

/// Calls of few bytes hold up nobody.
TEST_F(redis_presence_test, a_crowd_of_whom_tokens_say_much_comes_and_goes_in_parts) {
  constexpr std::size_t members = 200;
  const std::string info = '"' + std::string(4000, 'i') + '"';
  auto& a = start("n1");
  auto& b = start("n2");
  open(b, "told");
  const auto before = a.metrics.commands.value();
  for (std::uint64_t i = 0; i < members; ++i)
    a.join("told", i, who_text({"user" + std::to_string(i), info, info}));
  EXPECT_TRUE(
    until([&] { return a.metrics.rooms_memory_bytes.value() > members * 2 * info.size(); }));
  ASSERT_TRUE(until([&] { return b.count_events("told") == members; }));
  EXPECT_GE(a.metrics.commands.value() - before, members * 2 * info.size() / (256 * 1024));
  const auto told = report(b, "told");
  EXPECT_EQ(told.members.size(), members);
  EXPECT_FALSE(told.is_info_left_out);
  for (std::uint64_t i = members; i < 3 * members; ++i)
    a.join("told", i, who_text({"user" + std::to_string(i), info, info}));
  ASSERT_TRUE(until([&] { return b.count_events("told") == 3 * members; }));
  const auto too_much = report(b, "told");
  EXPECT_EQ(too_much.members.size(), 3 * members);
  EXPECT_TRUE(too_much.is_info_left_out);
  for (std::uint64_t i = 0; i < 3 * members; ++i)
    a.leave("told", i);
  ASSERT_TRUE(becomes(b, "told", "|"));
  EXPECT_TRUE(until([&] { return a.metrics.rooms_memory_bytes.value() < 100'000; }));
  a.ahead += 4s;
  ASSERT_TRUE(until([&] { return b.count_events("told") == 6 * members; }));
}

TEST_F(redis_presence_test, heals_when_redis_has_forgotten_everything) {
  auto& a = start("n1");
  auto& b = start("n2");
  open(a, "told");
  a.join("told", 1, "ann");
  ASSERT_TRUE(until([&] { return a.events("told").size() == 1; }));
  b.join("told", 2, "ann");
  b.join("r", 3, "bob");
  ASSERT_TRUE(becomes(b, "told", "n1:1 n2:1 | n1/1=ann n2/2=ann"));
  raw(b, {"FLUSHALL"});
  a.ahead += 2s;
  b.ahead += 2s;
  EXPECT_TRUE(becomes(b, "told", "n1:1 n2:1 | n1/1=ann n2/2=ann"));
  EXPECT_TRUE(becomes(b, "r", "n2:1 | n2/3=bob"));
  process->kill();
  process->start();
  ASSERT_TRUE(until([&] { return !a.broker->shard().is_up(); }));
  a.leave("told", 1); // meanwhile
  a.join("told", 4, "cid");
  ASSERT_TRUE(until([&] { return a.broker->shard().is_up() && b.broker->shard().is_up(); }));
  EXPECT_TRUE(becomes(b, "told", "n1:1 n2:1 | n1/4=cid n2/2=ann"));
  EXPECT_TRUE(becomes(a, "r", "n2:1 | n2/3=bob"));
  EXPECT_TRUE(hears(a, "told", {event('+', "n1/1", "ann"), event('+', "n1/4", "cid")}))
    << "nobody joins twice";
  rest();
  EXPECT_EQ(a.events("told").size(), 2U);
}

TEST_F(redis_presence_test, a_join_whose_answer_was_lost_is_told_once) {
  links.command_timeout = 1s; // it is waited for
  auto& a = start("n1");
  open(a, "told");
  a.join("told", 1, "ann");
  ASSERT_TRUE(until([&] { return a.events("told").size() == 1; }));
  const auto commands = a.metrics.commands.value();
  process->signal(SIGSTOP);
  a.join("told", 2, "bob");
  a.join("told", 3, "ann");
  ASSERT_TRUE(until([&] { return a.metrics.commands.value() > commands; }));
  ASSERT_TRUE(until([&] { return !a.broker->shard().is_up(); }));
  process->signal(SIGCONT); // and does what the lost link had sent
  ASSERT_TRUE(until([&] { return a.broker->shard().is_up(); }));
  EXPECT_TRUE(becomes(a, "told", "n1:3 | n1/1=ann n1/2=bob n1/3=ann"));
  EXPECT_TRUE(hears(a, "told", {event('+', "n1/1", "ann"), event('+', "n1/2", "bob")}));
  rest();
  EXPECT_EQ(a.events("told").size(), 2U);
}

TEST_F(redis_presence_test, a_node_that_leaves_takes_everything_with_it) {
  auto& a = start("n1");
  auto& b = start("n2");
  for (std::uint64_t i = 0; i < 500; ++i)
    a.join("room" + std::to_string(i % 50), i, "ann");
  ASSERT_TRUE(until([&] { return raw(b, {"SCARD", key("r", "n1", "room49")}) != "0"; }));
  rest();
  EXPECT_EQ(report(b, "room49").members.size(), 10U);
  for (std::uint64_t i = 0; i < 100; ++i)
    a.leave("room" + std::to_string(i % 50), i);
  io.restart();
  io.poll(); // these are on their way now
  bool has_left = false;
  a.broker->leave([&] { has_left = true; });
  ASSERT_TRUE(test::run_until(io, [&] { return has_left; }));
  a.broker.reset(); // as the node does then
  EXPECT_EQ(raw(b, {"KEYS", "test:{*}:[pnur]:*"}), "");
  EXPECT_EQ(holders(b), "n2:64 ");
}

TEST_F(redis_presence_test, a_report_fails_at_once_while_redis_is_away) {
  auto& a = start("n1");
  process->kill();
  ASSERT_TRUE(until([&] { return !a.broker->shard().can_command(); }));
  EXPECT_EQ(report(a, "r").error, broker_errc::unavailable);
}

} // namespace
} // namespace canang::cluster
