#include "cluster/control/relay.hpp"

#include "cluster/epoch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace canang::cluster {
namespace {

using namespace std::chrono_literals;
using clock = relay_centre::clock;
using outcomes = std::vector<relay_outcome>;

struct parcel {
  std::string from;
  std::size_t way;
  std::string to;
  std::string message;
  std::uint64_t number;
};

/// What nodes have in common.
struct network {
  std::vector<std::string> living;
  std::vector<bool> ways{true};
  std::vector<parcel> on_the_way;
  clock::time_point now{};
};

struct node final : control_carrier, relay_executor {
  node(network& of_all, std::string called)
    : net(of_all),
      name(std::move(called)),
      centre(name, *this, *this, metrics, [this] { return net.now; }) {
    net.living.push_back(name);
  }

  std::vector<std::string> living() const override { return net.living; }
  std::size_t ways() const override { return net.ways.size(); }
  bool is_up(std::size_t way) const override { return net.ways[way]; }
  void carry(std::size_t way, std::string_view to, const std::string& message,
             std::uint64_t number) override {
    net.on_the_way.push_back({name, way, std::string{to}, message, number});
  }
  void execute(relayed_message&& message, std::uint64_t number) override {
    executed.push_back(std::move(message));
    if (answers)
      centre.on_done(number, outcome);
    else
      undone.push_back(number);
  }
  session_chance chance_of(std::string_view of, std::string_view session) const override {
    ++asked;
    if (std::find(net.living.begin(), net.living.end(), of) == net.living.end())
      return session_chance::no_node;
    return session == "made up" ? session_chance::none : session_chance::some;
  }

  void say(const std::string& to, std::string data, const std::string& session = "secret0") {
    centre.send(to, {session, std::move(data)},
                [this](relay_outcome what) { told.push_back(what); });
  }

  network& net;
  std::string name;
  control_metrics metrics;
  std::vector<relayed_message> executed;
  std::vector<std::uint64_t> undone;
  outcomes told;
  relay_outcome outcome = relay_outcome::taken;
  bool answers = true;
  mutable std::size_t asked = 0;
  relay_centre centre;
};

struct relay_centre_test : testing::Test {
  network net;
  node here{net, make_epoch()};
  node there{net, make_epoch()};

  void carry_all() {
    while (!net.on_the_way.empty()) {
      const auto next = net.on_the_way.front();
      net.on_the_way.erase(net.on_the_way.begin());
      (next.to == here.name ? here : there).centre.on_message(next.way, next.message);
    }
  }

  void pass(std::chrono::milliseconds time) {
    net.now += time;
    here.centre.tick();
    there.centre.tick();
  }
};

TEST_F(relay_centre_test, brings_a_message_to_its_node_and_back_what_became_of_it) {
  for (const auto outcome : {relay_outcome::taken, relay_outcome::unknown, relay_outcome::busy,
                             relay_outcome::unavailable}) {
    there.outcome = outcome;
    const auto session = "secret" + std::to_string(static_cast<int>(outcome));
    here.say(there.name, std::string{"\0a\nb", 4}, session);
    ASSERT_EQ(net.on_the_way.size(), 1U);
    EXPECT_EQ(net.on_the_way[0].to, there.name) << "and to nobody else";
    carry_all();
    EXPECT_EQ(there.executed.back().session, session);
    EXPECT_EQ(there.executed.back().data, (std::string{"\0a\nb", 4}));
    EXPECT_EQ(here.told.back(), outcome);
  }
  EXPECT_FALSE(here.centre.is_waiting());
  EXPECT_FALSE(there.centre.is_waiting());
}

TEST_F(relay_centre_test, a_copy_is_not_executed_again) {
  here.say(there.name, "once");
  const auto copy = net.on_the_way.front();
  carry_all();
  there.centre.on_message(copy.way, copy.message);
  EXPECT_EQ(there.executed.size(), 1U);
  EXPECT_EQ(there.metrics.repeated.value(), 1U);
}

TEST_F(relay_centre_test, carries_nothing_to_a_session_that_was_made_up) {
  here.say(there.name, "x", "made up");
  EXPECT_EQ(here.told, outcomes{relay_outcome::unknown});
  EXPECT_TRUE(net.on_the_way.empty());
}

TEST_F(relay_centre_test, asks_once_for_a_session_that_has_gone) {
  there.outcome = relay_outcome::unknown;
  here.say(there.name, "x");
  carry_all();
  EXPECT_EQ(there.executed.size(), 1U);
  here.say(there.name, "y");
  EXPECT_TRUE(net.on_the_way.empty());
  EXPECT_EQ(here.told, outcomes(2, relay_outcome::unknown));
  there.outcome = relay_outcome::taken;
  here.say(there.name, "z", "secret1");
  carry_all();
  EXPECT_EQ(here.told.back(), relay_outcome::taken);
}

TEST_F(relay_centre_test, remembers_a_bounded_number_of_sessions_that_have_gone) {
  there.outcome = relay_outcome::unknown;
  for (std::size_t i = 0; i <= relay_centre::max_remembered; ++i) {
    here.say(there.name, "x", "secret" + std::to_string(i));
    carry_all();
  }
  const auto asked = there.executed.size();
  here.say(there.name, "x", "secret1");
  EXPECT_EQ(there.executed.size(), asked);
  here.say(there.name, "x", "secret0");
  carry_all();
  EXPECT_EQ(there.executed.size(), asked + 1) << "the oldest was forgotten";
}

TEST_F(relay_centre_test, waits_for_a_node_that_has_just_started) {
  net.living = {here.name};
  here.say(there.name, "a");
  here.say(there.name, "m", "made up");
  EXPECT_TRUE(here.centre.is_waiting());
  pass(2s); // the time in which each node hears of all others
  EXPECT_TRUE(here.told.empty());
  net.living.push_back(there.name);
  here.say(there.name, "b");
  EXPECT_EQ(here.told, outcomes{relay_outcome::unknown}) << "the one that was made up";
  carry_all();
  ASSERT_EQ(there.executed.size(), 2U);
  EXPECT_EQ(there.executed[0].data + there.executed[1].data, "ab") << "in their order";
  EXPECT_FALSE(here.centre.is_waiting());
}

TEST_F(relay_centre_test, knows_no_node_that_does_not_come_or_has_gone) {
  here.say("comesnever", "x");
  pass(relay_centre::patience - 1ms);
  EXPECT_TRUE(here.told.empty());
  pass(1ms);
  EXPECT_EQ(here.told, outcomes{relay_outcome::unknown});
  EXPECT_TRUE(net.on_the_way.empty());
  EXPECT_FALSE(here.centre.is_waiting());
  here.say(there.name, "x");
  carry_all();
  net.living = {here.name};
  here.say(there.name, "y");
  EXPECT_EQ(here.told.size(), 3U) << "it was there, and does not come again";
  EXPECT_EQ(here.told.back(), relay_outcome::unknown);
}

TEST_F(relay_centre_test, has_a_limit_for_what_waits_for_nodes) {
  for (std::size_t i = 0; i < relay_centre::max_held; ++i)
    here.say("comesnever", "x");
  EXPECT_TRUE(here.told.empty());
  here.say("comesneve2", "x");
  EXPECT_EQ(here.told, outcomes{relay_outcome::unknown});
  pass(relay_centre::patience);
  EXPECT_EQ(here.told.size(), relay_centre::max_held + 1);
  here.told.clear();
  here.say("comesnever", std::string(relay_centre::max_held_bytes, 'x'));
  EXPECT_TRUE(here.told.empty());
  here.say("comesneve2", "x");
  EXPECT_EQ(here.told, outcomes{relay_outcome::unknown});
  here.say(there.name, "x");
  carry_all();
  EXPECT_EQ(here.told.back(), relay_outcome::taken) << "others are not in their way";
}

TEST_F(relay_centre_test, asks_once_for_what_is_said_whatever_waits_for_nodes) {
  for (std::size_t i = 0; i < relay_centre::max_held; ++i)
    here.say("comesnever", "x");
  here.asked = 0;
  here.say("comesneve2", "x");
  EXPECT_EQ(here.asked, 1U) << "anybody may say it, as often as he likes";
  here.say(there.name, "x", "made up");
  here.say(there.name, "x");
  EXPECT_EQ(here.asked, 3U);
  EXPECT_EQ(net.on_the_way.size(), 1U);
  pass(100ms);
  EXPECT_EQ(here.asked, 3U + relay_centre::max_held) << "those that wait have their time";
}

TEST_F(relay_centre_test, does_not_let_what_was_made_up_release_what_waits) {
  net.living = {here.name};
  here.say(there.name, "a");
  net.living.push_back(there.name);
  here.say(there.name, "x", "made up");
  EXPECT_EQ(here.told, outcomes{relay_outcome::unknown});
  EXPECT_TRUE(net.on_the_way.empty());
  pass(100ms);
  EXPECT_EQ(net.on_the_way.size(), 1U) << "a tick does";
}

TEST_F(relay_centre_test, is_unavailable_without_a_way) {
  net.ways = {false, false};
  here.say(there.name, "x");
  EXPECT_EQ(here.told, outcomes{relay_outcome::unavailable});
  net.ways = {false, true};
  here.say(there.name, "x");
  EXPECT_EQ(net.on_the_way[0].way, 1U);
}

TEST_F(relay_centre_test, does_not_send_again_and_gives_up_in_time) {
  here.say(there.name, "lost");
  net.on_the_way.clear();
  pass(relay_centre::time_limit - 1ms);
  EXPECT_TRUE(here.told.empty());
  EXPECT_TRUE(here.centre.is_waiting());
  pass(1ms);
  EXPECT_EQ(here.told, outcomes{relay_outcome::unavailable});
  EXPECT_TRUE(net.on_the_way.empty());
  EXPECT_FALSE(here.centre.is_waiting());
}

TEST_F(relay_centre_test, gives_up_at_once_what_could_not_be_carried) {
  here.say(there.name, "x");
  EXPECT_FALSE(here.centre.on_carry_failed(1)) << "the number of a command";
  EXPECT_TRUE(here.centre.on_carry_failed(net.on_the_way[0].number));
  EXPECT_EQ(here.told, outcomes{relay_outcome::unavailable});
  carry_all();
  EXPECT_EQ(here.told.size(), 1U) << "and an answer that comes all the same is too late";
  EXPECT_EQ(here.metrics.late.value(), 1U);
}

TEST_F(relay_centre_test, believes_only_the_node_that_was_asked) {
  node third{net, make_epoch()};
  here.say(there.name, "x");
  const auto number = net.on_the_way[0].number;
  here.centre.on_message(0, encode_outcome(third.name, number, relay_outcome::taken));
  EXPECT_TRUE(here.told.empty());
  here.centre.on_message(0, encode_outcome(there.name, number, relay_outcome::taken));
  EXPECT_EQ(here.told, outcomes{relay_outcome::taken});
}

TEST_F(relay_centre_test, has_a_limit_for_what_waits_for_answers) {
  node third{net, make_epoch()};
  node fourth{net, make_epoch()};
  for (std::size_t i = 0; i < relay_centre::max_waiting / 2; ++i)
    here.say(there.name, "x");
  EXPECT_TRUE(here.told.empty());
  here.say(there.name, "x");
  EXPECT_EQ(here.told, outcomes{relay_outcome::unavailable}) << "one node may have half of it";
  here.told.clear();
  for (std::size_t i = 0; i < relay_centre::max_waiting / 2; ++i)
    here.say(third.name, "x");
  EXPECT_TRUE(here.told.empty());
  here.say(fourth.name, "x");
  EXPECT_EQ(here.told, outcomes{relay_outcome::unavailable}) << "and all have all of it";
  net.on_the_way.clear();
  pass(relay_centre::time_limit);
  EXPECT_EQ(here.told.size(), 1U + relay_centre::max_waiting);
  here.told.clear();
  here.say(there.name, "x");
  EXPECT_TRUE(here.told.empty()) << "there is room again";
}

TEST_F(relay_centre_test, has_a_limit_for_the_bytes_that_wait_for_answers) {
  node third{net, make_epoch()};
  node fourth{net, make_epoch()};
  const std::string large(relay_centre::max_waiting_bytes / 5, 'x');
  for (const auto& to : {there.name, there.name, third.name, third.name})
    here.say(to, large);
  EXPECT_TRUE(here.told.empty());
  here.say(there.name, large);
  EXPECT_EQ(here.told, outcomes{relay_outcome::unavailable}) << "one node may have half of it";
  here.say(fourth.name, large);
  EXPECT_EQ(here.told, outcomes(2, relay_outcome::unavailable)) << "and all have all of it";
  here.say(fourth.name, "x");
  EXPECT_EQ(here.told.size(), 2U);
}

TEST_F(relay_centre_test, has_a_limit_for_what_is_executed) {
  there.answers = false;
  const std::string large(max_relayed_bytes, 'x');
  std::uint64_t number = 0;
  for (int i = 0; i < 5; ++i)
    there.centre.on_message(0, encode_relayed(here.name, ++number, {"s", large}));
  EXPECT_EQ(there.executed.size(), 4U);
  ASSERT_EQ(net.on_the_way.size(), 1U);
  EXPECT_EQ(net.on_the_way[0].message, encode_outcome(there.name, 5, relay_outcome::busy));
  pass(relay_centre::time_limit);
  EXPECT_FALSE(there.centre.is_waiting()) << "what was never done is forgotten";
  there.centre.on_message(0, encode_relayed(here.name, ++number, {"s", large}));
  EXPECT_EQ(there.executed.size(), 5U);
  net.on_the_way.clear();
  there.centre.on_done(there.undone[0], relay_outcome::taken);
  EXPECT_TRUE(net.on_the_way.empty()) << "nobody waits for that any more";
  there.centre.on_done(there.undone[4], relay_outcome::taken);
  EXPECT_EQ(net.on_the_way.size(), 1U);
}

TEST_F(relay_centre_test, leaves_commands_to_others_and_counts_what_cannot_be) {
  EXPECT_FALSE(here.centre.on_message(0, encode(there.name, 1, disconnect_user{"a", 3503, ""})));
  EXPECT_FALSE(here.centre.on_message(0, encode(there.name, 1, control_answer{})));
  EXPECT_FALSE(here.centre.on_message(0, ""));
  EXPECT_FALSE(here.centre.on_message(0, "garbage\n"));
  EXPECT_FALSE(here.centre.on_message(0, "2 " + there.name + " m 1 s\nx"));
  std::uint64_t bad = 0;
  for (const auto& wrong :
       {"1 " + there.name + " m 0 s\nx", "1 " + there.name + " m x s\nx",
        std::string{"1 Nobody m 1 s\nx"}, "1 " + there.name + " m 1 \nx",
        "1 " + there.name + " m 1 s\n", "1 " + there.name + " m 1 " + std::string(65, 's') + "\nx",
        "1 " + there.name + " m 1 s\n" + std::string(max_relayed_bytes + 1, 'x'),
        "1 " + there.name + " o 1 done\n", "1 " + there.name + " o 1 taken\nx"}) {
    EXPECT_TRUE(here.centre.on_message(0, wrong)) << wrong.substr(0, 60);
    EXPECT_EQ(here.metrics.bad_malformed.value(), ++bad) << wrong.substr(0, 60);
  }
  EXPECT_TRUE(here.executed.empty());
}

} // namespace
} // namespace canang::cluster
