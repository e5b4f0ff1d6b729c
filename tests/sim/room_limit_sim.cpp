// How many rooms a node may know: who is refused, and which rooms give way.

#include "tests/support/sim_node.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace canang::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t seeds = 100;
constexpr std::uint64_t most_rooms = 4;

/// Rooms without members stay until something takes them away.
node_options limited(std::uint64_t seed) {
  node_options options;
  options.loops = static_cast<std::uint32_t>(1 + seed % 3);
  options.history.history_ttl = std::chrono::hours{1'000'000};
  options.beats.ping_interval = std::chrono::hours{1'000'000};
  options.rooms.room_linger = 1h;
  options.max_rooms = most_rooms;
  return options;
}

client& join(sim_node& node, const std::string& room) {
  client_options asked;
  asked.room = room;
  asked.loop = static_cast<std::uint32_t>(node.any().between(0, node.loops() - 1));
  return node.connect(asked);
}

/// Members of as many rooms as there may be.
std::vector<client*> fill(sim_node& node) {
  std::vector<client*> members;
  for (std::uint64_t i = 0; i < most_rooms; ++i) {
    members.push_back(&join(node, "room" + std::to_string(i)));
    node.some_steps();
  }
  node.settle();
  return members;
}

void expect_refused(sim_node& node, const std::string& room) {
  auto& refused = join(node, room);
  node.settle();
  EXPECT_TRUE(refused.peer->was_refused) << room;
  EXPECT_EQ(refused.peer->refused_for, net::reject_reason::rooms);
}

TEST(room_limit, a_join_of_one_more_room_is_refused_and_rooms_that_exist_can_be_joined) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{limited(seed), seed};
    const auto members = fill(node);
    expect_refused(node, "another");
    EXPECT_EQ(node.rooms(), static_cast<std::int64_t>(most_rooms));
    auto& second = join(node, "room1");
    node.settle();
    EXPECT_TRUE(second.stays());
    for (const auto* const member : members)
      EXPECT_TRUE(member->stays()) << "it has disturbed nobody";
    node.finish();
  });
}

TEST(room_limit, a_room_without_members_gives_way_wherever_it_is) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{limited(seed), seed};
    const auto members = fill(node);
    if (node.any().one_in(2)) {
      node.publish(*members[2]); // then its history is what is left of it
      node.settle();
    }
    members[2]->peer->vanish();
    node.settle();
    auto& next = join(node, "another");
    node.settle();
    EXPECT_TRUE(next.stays());
    node.tick(100ms); // what was only stopped is known for a moment longer
    node.settle();
    expect_refused(node, "room2");
    EXPECT_EQ(node.rooms(), static_cast<std::int64_t>(most_rooms));
    node.finish();
  });
}

TEST(room_limit, of_rooms_without_members_the_one_left_first_gives_way) {
  auto options = limited(0); // one loop
  sim_node node{options, 1};
  auto members = fill(node);
  members[3]->peer->vanish();
  node.settle();
  members[1]->peer->vanish();
  node.settle();
  join(node, "another");
  node.settle();
  auto& back = join(node, "room1");
  node.settle();
  EXPECT_TRUE(back.stays());
  expect_refused(node, "room3");
  node.finish();
}

TEST(room_limit, holds_while_clients_come_and_go) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{limited(seed), seed};
    for (int round = 0; round < 30; ++round) {
      auto& coming = join(node, "room" + std::to_string(node.any().between(0, 9)));
      node.some_steps();
      if (node.any().one_in(2))
        node.publish(coming);
      node.some_steps();
      for (auto& one : node.clients())
        if (one.peer->session != nullptr && node.any().one_in(4))
          one.peer->vanish();
      node.some_steps();
    }
    node.tick(100ms);
    node.settle();
    // whoever was let in because another loop's room was about to go may be one too many, had that
    // room just been joined
    EXPECT_LE(node.rooms(), static_cast<std::int64_t>(most_rooms + node.loops() - 1));
    node.finish();
  });
}

} // namespace
} // namespace canang::sim
