// Clients whose tokens take a while to be looked at, whatever else happens meanwhile.

#include "tests/support/lines_protocol.hpp"
#include "tests/support/sim_node.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace canang::sim {
namespace {

constexpr std::uint64_t seeds = 150;

node_options some_loops(std::uint64_t seed) {
  node_options options;
  options.loops = static_cast<std::uint32_t>(1 + seed % 3);
  options.beats.ping_interval = std::chrono::hours{1'000'000};
  options.asks = true;
  return options;
}

/// A client of the lines protocol, and what it was told.
struct lines_peer {
  client& is;

  lines_peer(sim_node& node, std::uint32_t loop)
    : is(node.connect(
      {.room = "", .loop = loop, .format = &lines_format(net::recovered_in::messages)})) {}

  void say(std::string text) { is.peer->send(net::frame_type::text, std::move(text)); }

  [[nodiscard]] bool heard(std::string_view line) const {
    for (const auto& one : is.peer->received)
      if (std::string_view{one.payload}.starts_with(line))
        return true;
    return false;
  }
};

TEST(identity, of_a_client_without_words_decides_its_handshake) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    const auto with = [&](std::string token) -> client& {
      return node.connect({.room = "lobby", .user = "ann", .token = std::move(token)});
    };
    auto& good = with("good");
    auto& old = with("old");
    auto& bad = with("bad");
    auto& gone = with(node.any().one_in(2) ? "good" : "bad");
    node.some_steps();
    if (node.any().one_in(2))
      gone.peer->vanish();
    node.settle();
    EXPECT_TRUE(good.stays());
    EXPECT_TRUE(old.peer->was_refused);
    EXPECT_EQ(old.peer->refused_for, net::reject_reason::expired);
    EXPECT_TRUE(bad.peer->was_refused);
    EXPECT_EQ(bad.peer->refused_for, net::reject_reason::bad_token);
    node.publish(good);
    node.settle();
    node.finish();
  });
}

TEST(identity, is_decided_before_anything_else_that_the_client_says_is_done) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    lines_peer good{node, 0};
    lines_peer old{node, node.loops() - 1};
    lines_peer bad{node, 0};
    good.say("hello ann good\njoin 1 lobby");
    good.say("publish 2 lobby one");
    old.say("hello bob old");
    bad.say("hello eve bad");
    node.some_steps();
    if (node.any().one_in(4))
      bad.is.peer->vanish();
    node.settle();
    good.say("publish 3 lobby two");
    node.settle();
    EXPECT_TRUE(good.heard("welcome"));
    EXPECT_TRUE(good.heard("stored 3")) << "it is in the room";
    EXPECT_FALSE(good.heard("failed 1"));
    EXPECT_TRUE(old.heard("failed 0 token_expired"));
    EXPECT_FALSE(old.heard("welcome"));
    EXPECT_FALSE(bad.heard("welcome"));
    old.say("hello bob good");
    node.settle();
    EXPECT_TRUE(old.heard("welcome")) << "with another one";
    node.finish();
  });
}

TEST(identity, of_many_tokens_of_rooms_has_each_looked_at_and_nothing_left_behind) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    lines_peer one{node, 0};
    lines_peer other{node, node.loops() - 1};
    one.say("hello ann");
    other.say("hello bob");
    node.settle();
    one.say(
      "join 1 locked1 0 good\njoin 2 locked2 0 bad\njoin 3 locked3 0 old\njoin 4 locked4 0 good");
    other.say("join 1 locked1 0 good\nleave 2 locked1\njoin 3 lobby 0 good");
    node.some_steps();
    if (node.any().one_in(3))
      other.is.peer->vanish();
    node.settle();
    EXPECT_TRUE(one.heard("failed 2 bad_token"));
    EXPECT_TRUE(one.heard("failed 3 token_expired"));
    one.say("publish 5 locked1 a\npublish 6 locked4 b\npublish 7 locked2 c");
    one.say(
      "refresh 8 good\nrefresh 9 good locked1\nrefresh 10 old locked1\nrefresh 11 good locked2");
    node.settle();
    EXPECT_TRUE(one.heard("stored 5"));
    EXPECT_TRUE(one.heard("stored 6"));
    EXPECT_TRUE(one.heard("failed 7 not_joined"));
    EXPECT_TRUE(one.heard("refreshed 8"));
    EXPECT_TRUE(one.heard("refreshed 9"));
    EXPECT_TRUE(one.heard("failed 10 token_expired"));
    EXPECT_TRUE(one.heard("failed 11 not_joined"));
    node.finish();
  });
}

TEST(identity, that_is_refreshed_badly_ends_the_connection) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    const std::vector<std::pair<std::string, std::uint16_t>> ways{
      {"refresh 5 old", 3005}, {"refresh 5 bad", 3500}, {"refresh 5 bad lobby", 3500}};
    for (const auto& [way, code] : ways) {
      lines_peer one{node, 0};
      one.say("hello ann good");
      node.settle();
      one.say("join 1 lobby");
      node.settle();
      one.say(way + "\nrefresh 6 good\npublish 7 lobby late");
      node.settle();
      EXPECT_EQ(one.is.peer->close_code, code) << way;
    }
    node.finish();
  });
}

} // namespace
} // namespace canang::sim
