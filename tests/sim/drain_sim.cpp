// The end of all connections of a loop: by the pace of its hub, or at once when the hub ends.

#include "tests/support/sim_node.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

namespace canang::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t seeds = 100;

node_options some_loops(std::uint64_t seed) {
  node_options options;
  options.loops = static_cast<std::uint32_t>(1 + seed % 3);
  return options;
}

void connect_many(sim_node& node, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    node.connect({"room" + std::to_string(i % 7), static_cast<std::uint32_t>(i % node.loops())});
}

void drain(sim_node& node, std::chrono::milliseconds period) {
  for (const auto& own : node.cast())
    caf::anon_send(own.hub, actors::drain{node.now() + period});
}

std::size_t closed(sim_node& node) {
  std::size_t count = 0;
  for (const auto& one : node.clients())
    count += one.peer->close_code.has_value();
  return count;
}

TEST(drain, hub_closes_its_sessions_evenly_over_four_fifths_of_the_period_with_1012) {
  for_each_seed(seeds / 4, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    connect_many(node, 400 * node.loops());
    node.settle();
    drain(node, 10s); // 8 s for 400: 5 a tick, of which the last may not be due yet
    node.settle();
    for (std::size_t tick = 1; tick <= 80; ++tick) {
      node.tick(100ms);
      node.settle();
      EXPECT_LE(closed(node), (tick * 5 + 1) * node.loops());
      EXPECT_GE(closed(node), (tick * 5 - 1) * node.loops());
    }
    node.tick(100ms); // the last moment may come a hair after the last tick
    node.settle();
    EXPECT_EQ(closed(node), 400 * node.loops());
    for (const auto& one : node.clients()) {
      EXPECT_EQ(one.peer->close_code, 1012);
      EXPECT_EQ(one.peer->reported->reason, net::close_reason::drain);
    }
    EXPECT_EQ(node.members(), 0);
    node.finish();
  });
}

TEST(drain, few_connections_are_closed_sooner) {
  for_each_seed(seeds / 4, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    connect_many(node, 5 * node.loops());
    node.settle();
    drain(node, 1h);
    for (int tick = 0; tick < 5; ++tick) {
      node.tick(100ms);
      node.settle();
    }
    EXPECT_EQ(closed(node), 5 * node.loops());
    node.finish();
  });
}

TEST(drain, everybody_is_told_and_cut_at_the_deadline) {
  for_each_seed(seeds / 2, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    connect_many(node, 120 * node.loops());
    node.settle();
    const bool has_no_time = seed % 2 == 0;
    drain(node, has_no_time ? 0s : 10s);
    node.settle();
    EXPECT_EQ(closed(node) == 120 * node.loops(), has_no_time);
    node.tick(10s);
    node.settle();
    for (const auto& one : node.clients()) {
      EXPECT_EQ(one.peer->close_code, 1012);
      EXPECT_TRUE(one.peer->reported);
    }
    EXPECT_EQ(node.connections(), 0);
    node.finish();
  });
}

TEST(drain, connections_that_come_while_the_hub_drains_are_closed_too) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    connect_many(node, 20);
    node.some_steps();
    drain(node, 5s);
    for (int i = 0; i < 10; ++i) {
      node.connect({"lobby", static_cast<std::uint32_t>(node.any().between(0, node.loops() - 1))});
      node.some_steps();
      if (node.any().one_in(2))
        node.tick(100ms);
      node.some_steps();
    }
    node.settle();
    node.tick(100ms);
    node.settle();
    for (int i = 0; i < 30; ++i) {
      node.tick(100ms);
      node.settle();
    }
    for (const auto& one : node.clients())
      EXPECT_TRUE(one.peer->close_code == 1012 || one.peer->was_refused) << "client " << one.number;
    node.finish();
  });
}

TEST(drain, members_get_what_was_published_before_their_close) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    for (std::uint32_t i = 0; i < 4; ++i)
      node.connect({"lobby", i % node.loops()});
    node.settle();
    for (auto& one : node.clients())
      node.publish(one);
    node.settle();
    drain(node, 5s);
    for (int i = 0; i < 5; ++i) {
      node.settle();
      node.tick(100ms);
    }
    node.settle();
    for (const auto& one : node.clients()) {
      EXPECT_EQ(one.peer->received.size(), 4U);
      EXPECT_EQ(one.peer->close_code, 1012);
    }
    node.finish();
  });
}

TEST(drain, a_hub_that_ends_cuts_all_sessions_of_its_loop) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    connect_many(node, 9);
    node.some_steps();
    for (const auto& own : node.cast())
      caf::anon_send_exit(own.hub, caf::exit_reason::user_shutdown);
    node.settle();
    for (const auto& one : node.clients())
      EXPECT_TRUE(one.peer->reported) << "client " << one.number;
    EXPECT_EQ(node.members(), 0);
    EXPECT_EQ(node.connections(), 0);
  });
}

} // namespace
} // namespace canang::sim
