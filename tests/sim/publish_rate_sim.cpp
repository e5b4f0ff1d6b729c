// Who publishes more than it may: it is read later, and closed when it goes on; and a room that waits.

#include "tests/support/sim_node.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>

namespace canang::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t seeds = 10;
constexpr auto tick_length = 100ms;
constexpr std::size_t rate = 100; // messages a second
constexpr std::size_t at_once = rate / 2;

/// No pings, and history that outlives every jump of the clock.
node_options some_loops(std::uint64_t seed) {
  node_options options;
  options.loops = static_cast<std::uint32_t>(1 + seed % 3);
  options.history.history_ttl = std::chrono::hours{1'000'000};
  options.beats.ping_interval = std::chrono::hours{1'000'000};
  return options;
}

node_options with_client_rate(std::uint64_t seed) {
  auto options = some_loops(seed);
  options.limits.publishing = {rate, 0};
  return options;
}

node_options with_room_rate(std::uint64_t seed) {
  auto options = some_loops(seed);
  options.limits.publishing_in_room = {rate, 0};
  return options;
}

client& some_client(sim_node& node) {
  client_options asked;
  asked.loop = static_cast<std::uint32_t>(node.any().between(0, node.loops() - 1));
  return node.connect(asked);
}

void publish(sim_node& node, client& from, std::size_t count = 1) {
  for (; count > 0; --count)
    node.publish(from);
}

/// Lets time go by, tick by tick; `behave` says what the clients do before each.
template <class Behaviour>
void pass(sim_node& node, std::chrono::milliseconds time, Behaviour behave) {
  for (auto passed = 0ms; passed < time; passed += tick_length) {
    behave(passed);
    node.settle();
    node.pass(tick_length);
    node.settle();
  }
}

void pass(sim_node& node, std::chrono::milliseconds time) {
  pass(node, time, [](auto) {});
}

std::size_t published(sim_node& node) { return node.broker_of("lobby").record("lobby").size(); }

/// So many are published when a flood is let through at the rate for so long.
void expect_at_rate(std::size_t count, double seconds) {
  EXPECT_GE(static_cast<double>(count), at_once + rate * (seconds - 0.3));
  EXPECT_LE(static_cast<double>(count), at_once + rate * 1.05 * seconds + 5);
}

TEST(publish_rate, of_a_flooder_is_what_it_may_and_it_is_closed_when_it_goes_on) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{with_client_rate(seed), seed};
    auto& flooder = some_client(node);
    auto& other = some_client(node);
    publish(node, flooder, 3000);
    node.settle();
    expect_at_rate(published(node), 0);
    for (int second = 1; second <= 9; ++second) {
      pass(node, 1s);
      expect_at_rate(published(node), second);
      EXPECT_TRUE(flooder.stays()) << "after " << second << " s";
    }
    publish(node, other);
    pass(node, 2s);
    EXPECT_EQ(flooder.peer->close_code, 1008);
    ASSERT_TRUE(flooder.peer->reported);
    EXPECT_EQ(flooder.peer->reported->reason, net::close_reason::rate_limited);
    EXPECT_TRUE(other.stays());
    node.verify_complete();
    node.finish();
  });
}

TEST(publish_rate, holds_nobody_who_sends_at_exactly_the_rate) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{with_client_rate(seed), seed};
    auto& steady = some_client(node);
    node.settle();
    const auto pauses = steady.peer->pauses;
    pass(node, 30s, [&](auto) { publish(node, steady, rate / 10); });
    EXPECT_EQ(steady.peer->pauses, pauses);
    EXPECT_EQ(published(node), 30 * rate);
    node.finish();
  });
}

TEST(publish_rate, closes_nobody_who_sends_at_exactly_the_rate_in_bursts_or_after_one) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{with_client_rate(seed), seed};
    auto& jumpy = some_client(node);
    const auto every = 1s * static_cast<int>(1 + seed % 3);
    const auto burst = rate * static_cast<std::size_t>(every / 1s);
    publish(node, jumpy, at_once);
    pass(node, 60s, [&](auto passed) {
      if (passed % every == 0ms)
        publish(node, jumpy, burst);
    });
    EXPECT_TRUE(jumpy.stays()) << "a burst of " << burst << " every " << every / 1s << " s";
    EXPECT_GT(jumpy.peer->pauses, 0U) << "the burst is read later";
    pass(node, 2s);
    EXPECT_EQ(published(node), at_once + 60 * rate);
    node.finish();
  });
}

TEST(publish_rate, that_was_overused_for_long_is_forgiven_after_a_rest) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{with_client_rate(seed), seed};
    auto& one = some_client(node);
    for (int round = 0; round < 4; ++round) {
      publish(node, one, 6 * rate);
      pass(node, 8s);
      EXPECT_TRUE(one.stays());
    }
    EXPECT_EQ(published(node), 24 * rate);
    node.finish();
  });
}

TEST(publish_rate, of_clients_that_also_wait_for_answers_is_the_same) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    auto options = with_client_rate(seed);
    options.limits.publishing.messages_a_second = 600; // 300 at once: more than may be unanswered
    sim_node node{options, seed};
    auto& one = some_client(node);
    publish(node, one, 1500);
    for (int i = 0; i < 40; ++i) {
      node.some_steps();
      node.pass(tick_length); // a check in the session: no pause and no going on comes twice
    }
    pass(node, 2s);
    EXPECT_EQ(published(node), 1500U);
    EXPECT_TRUE(one.stays());
    EXPECT_FALSE(one.peer->reading_is_paused);
    node.verify_complete();
    node.finish();
  });
}

TEST(publish_rate, of_0_is_no_limit) {
  sim_node node{some_loops(1), 1};
  auto& one = some_client(node);
  publish(node, one, 3000);
  node.settle();
  EXPECT_EQ(published(node), 3000U);
  node.finish();
}

TEST(publish_rate, of_a_room_lets_publishes_wait_in_order_and_loses_none) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{with_room_rate(seed), seed};
    for (int i = 0; i < 4; ++i)
      some_client(node);
    for (auto& one : node.clients())
      publish(node, one, 200);
    node.settle();
    expect_at_rate(published(node), 0);
    for (int second = 1; second <= 7; ++second) {
      pass(node, 1s);
      expect_at_rate(std::min<std::size_t>(published(node), 760), std::min(second, 7));
    }
    pass(node, 3s);
    EXPECT_EQ(published(node), 800U);
    for (auto& one : node.clients()) {
      EXPECT_TRUE(one.stays());
      EXPECT_FALSE(one.peer->reading_is_paused);
    }
    node.verify_complete();
    node.finish();
  });
}

TEST(publish_rate, of_a_room_keeps_it_until_all_that_waits_is_published) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{with_room_rate(seed), seed};
    auto& gone = some_client(node);
    publish(node, gone, 200);
    node.settle();
    gone.peer->vanish();
    pass(node, 1s);
    EXPECT_EQ(node.rooms(), 1) << "publishes wait in it";
    pass(node, 5s);
    EXPECT_EQ(published(node), 200U);
    EXPECT_EQ(node.rooms(), 0);
    node.finish();
  });
}

TEST(publish_rate, of_a_room_that_ends_leaves_nothing_behind) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{with_room_rate(seed), seed};
    auto& one = some_client(node);
    publish(node, one, 200);
    node.settle();
    EXPECT_GT(node.waiting_bytes(), 0U);
    node.broker_of("lobby").throw_at_next_publish("lobby");
    pass(node, 1s);
    EXPECT_EQ(node.waiting_bytes(), 0U);
    EXPECT_EQ(one.peer->close_code, 1011);
    node.finish();
  });
}

/// Every publication finds its loops far behind: each is marked, and the marks are answered.
TEST(backlog, of_loops_that_are_always_far_behind_loses_no_message_and_no_answer) {
  for_each_seed(10 * seeds, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    for (std::uint32_t loop = 0; loop < node.loops(); ++loop)
      node.cast()[loop].backlog->add(2 * net::max_backlog_bytes);
    for (int i = 0; i < 4; ++i)
      some_client(node);
    for (int round = 0; round < 20; ++round)
      for (auto& one : node.clients()) {
        publish(node, one, node.any().between(0, 40));
        node.some_steps();
      }
    node.settle();
    node.verify_complete();
    for (auto& one : node.clients())
      EXPECT_FALSE(one.peer->reading_is_paused) << "an answer is missing";
    for (std::uint32_t loop = 0; loop < node.loops(); ++loop)
      EXPECT_EQ(node.cast()[loop].backlog->value(), 2 * net::max_backlog_bytes);
    node.finish();
  });
}

/// A room that lives on the first loop.
std::string room_on_first(const sim_node& node) {
  for (int i = 0;; ++i) {
    auto name = "room" + std::to_string(i);
    if (actors::home_of(name, node.loops()) == 0)
      return name;
  }
}

TEST(backlog, of_a_loop_that_is_far_behind_holds_the_publishers) {
  sim_node node{some_loops(1), 1}; // two loops
  const auto room = room_on_first(node);
  auto& there = node.connect({room, 1});
  auto& here = node.connect({room, 0});
  node.settle();
  const auto count = [&] { return node.broker_of(room).record(room).size(); };
  node.stop_loop(1, true);
  const auto& backlog = *node.cast()[1].backlog;
  for (int i = 0; i < 400; ++i)
    node.publish(here, 64U << 10U);
  node.settle();
  EXPECT_GT(backlog.value(), net::max_backlog_bytes);
  EXPECT_LT(backlog.value(), net::max_backlog_bytes + (2U << 20U)) << "and what may be unanswered";
  EXPECT_LT(count(), 200U);
  EXPECT_TRUE(here.peer->reading_is_paused);
  EXPECT_TRUE(there.peer->received.empty());
  node.stop_loop(1, false);
  node.settle();
  EXPECT_EQ(backlog.value(), 0U);
  EXPECT_EQ(count(), 400U);
  EXPECT_FALSE(here.peer->reading_is_paused);
  node.verify_complete();
  node.finish();
}

} // namespace
} // namespace canang::sim
