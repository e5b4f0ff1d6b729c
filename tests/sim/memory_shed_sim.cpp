// What gives way where memory is short: rooms that nobody is in.

#include "tests/support/sim_node.hpp"

#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <string>

namespace canang::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t seeds = 100;
constexpr std::size_t room_count = 5;

/// One loop; rooms without members stay until something takes them away.
node_options lasting() {
  node_options options;
  options.history.history_ttl = std::chrono::hours{1'000'000};
  options.beats.ping_interval = std::chrono::hours{1'000'000};
  options.rooms.room_linger = 1h;
  return options;
}

std::string name_of(std::size_t room) { return "room" + std::to_string(room); }

client& join(sim_node& node, const std::string& room) {
  client_options asked;
  asked.room = room;
  return node.connect(asked);
}

/// Rooms with a history that their members have left.
void leave_rooms(sim_node& node) {
  for (std::size_t i = 0; i < room_count; ++i) {
    auto& member = join(node, name_of(i));
    node.settle();
    node.publish(member, 1000);
    node.settle();
    member.peer->vanish();
    node.settle();
  }
}

void shed(sim_node& node, std::uint64_t bytes) {
  caf::anon_send(node.cast()[0].directory, actors::shed_memory{bytes});
  node.settle();
}

void some_ticks(sim_node& node) {
  for (int i = 0; i < 3; ++i) {
    node.tick(100ms);
    node.settle();
  }
}

std::size_t kept(sim_node& node) { return node.broker_of(name_of(0)).keeper().idle_count(); }

/// What the actor of a room holds is free only once that has stopped, after the step that stopped it.
TEST(memory_shed, goes_on_until_what_was_asked_for_is_freed) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{lasting(), seed};
    leave_rooms(node);
    ASSERT_EQ(node.rooms(), static_cast<std::int64_t>(room_count));
    shed(node, 1'000'000);
    some_ticks(node);
    EXPECT_EQ(node.rooms(), 0);
    EXPECT_EQ(kept(node), 0U) << "of what was asked for once";
    leave_rooms(node);
    some_ticks(node);
    EXPECT_EQ(node.rooms(), static_cast<std::int64_t>(room_count)) << "and that is over";
    node.finish();
  });
}

TEST(memory_shed, takes_no_more_histories_than_it_was_asked_for) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{lasting(), seed};
    leave_rooms(node);
    shed(node, 1000); // less than one of them
    some_ticks(node);
    EXPECT_EQ(kept(node), room_count - 1);
    node.finish();
  });
}

TEST(memory_shed, takes_nothing_from_a_room_with_members) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{lasting(), seed};
    auto& stays = join(node, "inhabited");
    node.settle();
    leave_rooms(node);
    shed(node, 1'000'000);
    some_ticks(node);
    EXPECT_TRUE(stays.stays());
    EXPECT_EQ(node.rooms(), 1);
    node.publish(stays);
    node.settle();
    node.verify_complete();
    node.finish();
  });
}

} // namespace
} // namespace canang::sim
