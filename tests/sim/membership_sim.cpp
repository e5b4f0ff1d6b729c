// Join, publish, leave and death, in every order.

#include "tests/support/lines_protocol.hpp"
#include "tests/support/sim_node.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace canang::sim {
namespace {

constexpr std::uint64_t seeds = 300;

node_options some_loops(std::uint64_t seed) {
  node_options options;
  options.loops = static_cast<std::uint32_t>(1 + seed % 3);
  return options;
}

client_options some_client(sim_node& node, std::string room = "lobby") {
  client_options asked;
  asked.room = std::move(room);
  asked.loop = static_cast<std::uint32_t>(node.any().between(0, node.loops() - 1));
  asked.echo = !node.any().one_in(4);
  asked.history = node.any().one_in(2) ? 0 : static_cast<std::uint32_t>(node.any().between(1, 8));
  return asked;
}

client* one_of(sim_node& node) {
  if (node.clients().empty())
    return nullptr;
  auto& picked = node.clients()[node.any().between(0, node.clients().size() - 1)];
  return picked.peer->session == nullptr ? nullptr : &picked;
}

/// Each client says something once all are where they want to be, and all must get all of it.
void expect_all_can_talk(sim_node& node) {
  node.settle();
  for (auto& one : node.clients()) {
    if (one.stays()) {
      node.publish(one);
      node.some_steps();
    }
  }
  node.settle();
  node.verify_complete();
}

TEST(membership, members_get_every_publication_of_their_room_once_and_in_order) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    static constexpr std::array rooms{"lobby", "garden"};
    const auto count = node.any().between(1, 4);
    for (std::size_t i = 0; i < count; ++i) {
      node.connect(some_client(node, rooms[node.any().between(0, 1)]));
      node.some_steps();
    }
    for (int i = 0; i < 20; ++i) {
      if (auto* const who = one_of(node))
        node.publish(*who);
      node.some_steps();
    }
    expect_all_can_talk(node);
    for (const auto& one : node.clients())
      EXPECT_TRUE(one.stays()) << "client " << one.number;
    node.finish();
  });
}

TEST(membership, joins_publishes_closes_and_deaths_in_any_order_lose_and_double_nothing) {
  for_each_seed(2 * seeds, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    for (int i = 0; i < 30; ++i) {
      auto* const who = one_of(node);
      const auto what = node.any().between(0, 9);
      if (who == nullptr || what < 3) {
        if (node.clients().size() < 8)
          node.connect(some_client(node));
      } else if (what < 7) {
        node.publish(*who);
      } else if (what == 7) {
        who->peer->close(1001, net::close_reason::going_away);
      } else if (what == 8) {
        who->peer->vanish();
      } else {
        node.kill(*who);
      }
      node.some_steps();
    }
    expect_all_can_talk(node);
    node.finish();
  });
}

TEST(membership, room_drops_a_member_whose_connection_died) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    node.connect(some_client(node));
    auto& victim = node.connect(some_client(node));
    for (auto steps = node.any().between(0, 40); steps > 0; --steps)
      node.step();
    node.kill(victim);
    expect_all_can_talk(node);
    EXPECT_EQ(node.members(), 1);
    EXPECT_EQ(node.connections(), 1);
    EXPECT_EQ(victim.peer->session, nullptr);
    node.finish();
  });
}

TEST(membership, a_connection_that_fails_inside_a_handler_leaves_its_room_and_ends_its_session) {
  std::size_t failures = 0;
  for_each_seed(seeds / 3, [&](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    node.connect(some_client(node));
    auto& victim = node.connect(some_client(node));
    // over the limit of unanswered publishes; the exception comes when an answer lets it read again
    for (int i = 0; i < 50; ++i)
      node.publish(victim, 50'000);
    const auto is_held_back = [&] {
      return victim.peer->reading_is_paused && !victim.broker->record("lobby").empty();
    };
    while (!is_held_back() && node.step()) {
      // each step is judged
    }
    const bool fails = is_held_back();
    victim.peer->pause_throws = fails;
    failures += fails;
    node.settle();
    EXPECT_EQ(victim.peer->session == nullptr, fails);
    EXPECT_EQ(node.members(), fails ? 1 : 2);
    expect_all_can_talk(node);
    node.finish();
  });
  EXPECT_TRUE(failures > 0 || is_one_seed()) << "it was held back in none of the orders";
}

TEST(membership, an_exception_in_a_callback_of_its_session_costs_only_that_connection) {
  for_each_seed(seeds / 3, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    auto& other = node.connect(some_client(node));
    auto asked = some_client(node);
    asked.format = &lines_format();
    auto& victim = node.connect(asked);
    victim.peer->send(net::frame_type::text, "hello\njoin 1 lobby\npublish 2 lobby all is well");
    node.some_steps();
    victim.peer->send(net::frame_type::text, "fail");
    ASSERT_NO_THROW(expect_all_can_talk(node)) << "it would end the whole process";
    EXPECT_EQ(victim.peer->session, nullptr);
    EXPECT_TRUE(other.stays());
    EXPECT_EQ(node.members(), 1);
    node.finish();
  });
}

TEST(membership, a_client_that_goes_at_any_step_of_its_join_leaves_nothing_behind) {
  // every number of steps between the connect and its end, for each way to go and some orders
  for_each_seed(seeds, [](std::uint64_t seed) {
    for (std::size_t steps = 0; steps < 12; ++steps) {
      sim_node node{some_loops(seed), seed};
      auto& passing = node.connect(some_client(node));
      for (std::size_t i = 0; i < steps; ++i)
        node.step();
      switch (seed / 3 % 3) {
      case 0: passing.peer->vanish(); break;
      case 1: passing.peer->close(1000, net::close_reason::normal); break;
      default: node.kill(passing); break;
      }
      node.settle();
      EXPECT_EQ(passing.peer->session, nullptr);
      EXPECT_TRUE(passing.peer->reported);
      node.finish();
      ASSERT_FALSE(testing::Test::HasFailure()) << "gone after " << steps << " steps";
    }
  });
}

TEST(membership, a_member_that_left_gets_nothing_after_its_leave) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    auto& stayer = node.connect(some_client(node));
    auto& leaver = node.connect(some_client(node));
    node.settle();
    for (int i = 0; i < 10; ++i) {
      node.publish(stayer);
      node.some_steps();
      if (i == 4)
        node.leave(leaver);
      if (i == 6)
        node.leave(leaver); // a second time: no effect
      node.some_steps();
    }
    node.settle();
    ASSERT_TRUE(leaver.left_at);
    EXPECT_LE(leaver.peer->received.size(), 10U);
    EXPECT_EQ(node.members(), 1);
    node.verify_complete();
    node.finish();
  });
}

TEST(membership, a_join_with_history_has_neither_gap_nor_double_before_what_is_live) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    auto options = some_loops(seed);
    options.history.history_size = 6;
    sim_node node{options, seed};
    auto& writer = node.connect(some_client(node));
    node.settle();
    for (int i = 0; i < 40; ++i) {
      node.publish(writer);
      if (node.any().one_in(6)) {
        auto asked = some_client(node);
        asked.history = static_cast<std::uint32_t>(node.any().between(1, 10));
        node.connect(asked);
      }
      node.some_steps();
    }
    expect_all_can_talk(node);
    for (const auto& one : node.clients())
      EXPECT_TRUE(one.stays());
    node.finish();
  });
}

TEST(membership, a_flood_is_held_back_and_let_go_again_and_all_of_it_is_published) {
  std::size_t held_back = 0;
  for_each_seed(seeds / 10, [&](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    auto& flooder = node.connect(some_client(node));
    auto& other = node.connect(some_client(node));
    node.settle();
    const auto before = flooder.peer->pauses;
    const auto padding = node.any().one_in(2) ? node.any().between(30'000, 60'000) : 0;
    for (int round = 0; round < 2; ++round) { // the second finds all counts where they were
      for (int i = 0; i < 300; ++i)
        node.publish(flooder, padding);
      node.publish(other);
      expect_all_can_talk(node);
    }
    held_back += flooder.peer->pauses - before;
    node.finish();
  });
  EXPECT_TRUE(held_back > 0 || is_one_seed()) << "in none of the orders";
}

TEST(membership, a_slow_consumer_and_a_failed_write_cost_only_their_own_connection) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    auto& writer = node.connect(some_client(node));
    auto& slow = node.connect(some_client(node));
    auto& broken = node.connect(some_client(node));
    slow.peer->appetite_bytes = node.any().between(0, 20); // less than two messages
    for (int i = 0; i < 12; ++i) {
      node.publish(writer);
      node.some_steps();
      if (i == 3)
        broken.peer->write_fails = true;
      if (i >= 10)
        node.settle();
    }
    expect_all_can_talk(node);
    EXPECT_TRUE(writer.stays());
    ASSERT_TRUE(slow.peer->reported);
    EXPECT_EQ(slow.peer->reported->reason, net::close_reason::slow_consumer);
    ASSERT_TRUE(broken.peer->reported);
    EXPECT_EQ(broken.peer->reported->reason, net::close_reason::write_error);
    EXPECT_EQ(node.members(), 1);
    node.finish();
  });
}

} // namespace
} // namespace canang::sim
