// Members that read late, or not at all, in rooms that have them lose something and stay.

#include "tests/support/lines_client.hpp"
#include "tests/support/lines_protocol.hpp"
#include "tests/support/sim_node.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace canang::sim {
namespace {

using namespace std::chrono_literals;
using cluster::slow_consumers;

constexpr std::uint64_t seeds = 200;

std::shared_ptr<const cluster::room_settings_table> table_of(slow_consumers policy) {
  auto table = std::make_shared<cluster::room_settings_table>();
  table->rooms.slow = policy;
  return table;
}

/// Members of which chance decides when they read. Whoever is told to come back does so.
struct slow_crowd {
  slow_crowd(slow_consumers policy, std::uint64_t seed)
    : settings(table_of(policy)), node(options_of(seed), seed) {}

  node_options options_of(std::uint64_t seed) const {
    node_options options;
    options.loops = static_cast<std::uint32_t>(1 + seed % 2);
    options.history.history_ttl = std::chrono::hours{1'000'000};
    options.history.history_size = 6;
    options.beats.ping_interval = std::chrono::hours{1'000'000};
    options.limits.max_outbox_bytes = 1500; // some five of the publications here
    options.settings = &settings;
    return options;
  }

  lines_client& connect(const net::wire_format& format) {
    auto& added = clients.emplace_back(
      node, static_cast<std::uint32_t>(node.any().between(0, node.loops() - 1)), format);
    ended_seen.push_back(0);
    added.peer().peer->reads_later = node.any().one_in(2);
    return added;
  }

  const std::string& some_room() { return rooms[node.any().between(0, rooms.size() - 1)]; }
  lines_client& someone() { return clients[node.any().between(0, clients.size() - 1)]; }

  void something() {
    auto& who = someone();
    auto& peer = *who.peer().peer;
    const auto what = node.any().between(0, 19);
    if (what == 0)
      peer.is_stuck = peer.reads_later;
    else if (what == 1 && peer.is_stuck)
      peer.go_on_reading();
    else if (what < 4)
      who.join(some_room(), node.any().one_in(2) ? "3" : "");
    else if (what == 4)
      who.leave(some_room());
    else if (what == 5)
      who.ask(some_room(), "counts");
    else if (what == 6 && node.any().one_in(5))
      node.kill_some_room();
    else
      who.publish(some_room(), "text" + std::to_string(++said));
    node.some_steps();
    for (auto& one : clients)
      one.verify();
    come_back();
  }

  void come_back() {
    for (std::size_t i = 0; i < clients.size(); ++i)
      for (; ended_seen[i] < clients[i].ended().size(); ++ended_seen[i]) {
        const auto& line = clients[i].ended()[ended_seen[i]];
        const auto room = line.substr(0, line.find(' '));
        if (line.find(" 3010 ") != std::string::npos) {
          ++told_to_return;
          clients[i].join(room, clients[i].position(room));
        }
      }
  }

  void end() {
    for (auto& one : clients)
      one.peer().peer->go_on_reading();
    for (auto before = told_to_return + 1; before != told_to_return && !has_failed();) {
      before = told_to_return;
      node.settle();
      for (auto& one : clients)
        one.verify();
      come_back();
    }
    node.settle();
    for (auto& one : clients) {
      EXPECT_FALSE(one.peer().peer->reported) << "nobody is closed";
      one.verify_complete();
      losses += one.losses();
    }
    for (std::uint32_t loop = 0; loop < node.loops(); ++loop)
      EXPECT_EQ(slow_bytes(loop), 0U) << "nobody waits for anything";
    if (!has_failed())
      node.finish();
  }

  static bool has_failed() { return testing::Test::HasFailure(); }

  std::uint64_t slow_bytes(std::uint32_t loop) {
    auto& context = node.context_of(loop);
    node.members_of(loop).on_tick(net::loop_context::clock::now() + 1h);
    return context.metrics.outbox_memory_bytes.value();
  }

  cluster::room_settings_source settings;
  sim_node node;
  std::deque<lines_client> clients;
  std::vector<std::size_t> ended_seen;
  std::vector<std::string> rooms{"lobby", "garden"};
  int said = 0;
  std::size_t told_to_return = 0;
  std::size_t losses = 0;
};

/// @returns losses, and those who were told to come back.
std::pair<std::size_t, std::size_t> run(slow_consumers policy, const net::wire_format& format,
                                        bool changes = false) {
  std::pair<std::size_t, std::size_t> sum;
  for_each_seed(seeds, [&](std::uint64_t seed) {
    slow_crowd all{policy, seed};
    for (int i = 0; i < 4; ++i)
      all.connect(format);
    for (int i = 0; i < 120 && !testing::Test::HasFailure(); ++i) {
      all.something();
      if (changes && all.node.any().one_in(15)) {
        all.settings.set(table_of(static_cast<slow_consumers>(all.node.any().between(0, 2))));
        all.node.tick(100ms);
      }
    }
    all.end();
    sum.first += all.losses;
    sum.second += all.told_to_return;
  });
  return sum;
}

TEST(slow_rooms, of_latest_lose_nothing_in_silence_and_no_answer) {
  EXPECT_TRUE(run(slow_consumers::latest, lines_format()).first > 0 || is_one_seed());
}

TEST(slow_rooms, of_drop_oldest_lose_nothing_in_silence_and_no_answer) {
  EXPECT_TRUE(run(slow_consumers::drop_oldest, lines_format()).first > 0 || is_one_seed());
}

TEST(slow_rooms, keep_all_their_promises_while_their_settings_change) {
  EXPECT_TRUE(run(slow_consumers::latest, lines_format(), true).first > 0 || is_one_seed());
}

TEST(slow_rooms, tell_who_counts_on_missing_nothing_to_come_back) {
  const auto [losses, returns] = run(slow_consumers::latest, lines_format_of_returners());
  EXPECT_EQ(losses, 0U);
  EXPECT_TRUE(returns > 0 || is_one_seed());
}

TEST(slow_rooms, lose_nothing_where_members_are_closed_instead) {
  const auto [losses, returns] = run(slow_consumers::disconnect, lines_format());
  EXPECT_EQ(losses + returns, 0U);
}

} // namespace
} // namespace canang::sim
