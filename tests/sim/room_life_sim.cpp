// How rooms begin and end: reaped when empty, replaced when they failed; joins that meet either.

#include "net/protocol/plain.hpp"
#include "tests/support/sim_node.hpp"

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace canang::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t seeds = 300;

/// History that outlives every jump of the clock, and no pings.
node_options some_loops(std::uint64_t seed) {
  node_options options;
  options.loops = static_cast<std::uint32_t>(1 + seed % 3);
  options.history.history_ttl = std::chrono::hours{1'000'000};
  options.beats.ping_interval = std::chrono::hours{1'000'000};
  return options;
}

client_options some_client(sim_node& node) {
  client_options asked;
  asked.loop = static_cast<std::uint32_t>(node.any().between(0, node.loops() - 1));
  asked.history = node.any().one_in(2) ? 0 : 3;
  return asked;
}

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

TEST(room_life, a_room_without_members_is_reaped_after_the_linger_and_not_before) {
  for_each_seed(seeds / 3, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    auto& only = node.connect(some_client(node));
    node.settle();
    EXPECT_EQ(node.rooms(), 1);
    node.tick(1h);
    node.settle();
    EXPECT_EQ(node.rooms(), 1) << "reaped with a member in it";
    only.peer->vanish();
    node.settle();
    EXPECT_EQ(node.rooms(), 1) << "reaped at once";
    node.tick(2s);
    node.settle();
    EXPECT_EQ(node.rooms(), 0);
    node.finish();
  });
}

TEST(room_life, a_room_is_not_reaped_before_its_linger) {
  auto options = some_loops(1);
  options.rooms.room_linger = 1h;
  sim_node node{options, 1};
  node.connect(some_client(node)).peer->vanish();
  node.settle();
  node.tick(59min);
  node.settle();
  EXPECT_EQ(node.rooms(), 1);
  auto& back = node.connect(some_client(node));
  node.settle();
  EXPECT_EQ(node.rooms_started(), 1U);
  node.tick(2h);
  node.settle();
  EXPECT_EQ(node.rooms(), 1) << "someone came back";
  EXPECT_TRUE(back.stays());
  node.finish();
}

TEST(room_life, a_join_that_races_with_the_reap_of_its_room_is_never_lost) {
  for_each_seed(3 * seeds, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    for (int round = 0; round < 8; ++round) {
      auto& coming = node.connect(some_client(node));
      node.some_steps();
      if (node.any().one_in(2))
        node.publish(coming);
      node.some_steps();
      node.tick(1h); // whatever is empty now is reaped when the directory comes to it
      node.some_steps();
      for (auto& one : node.clients()) {
        if (one.peer->session == nullptr || node.any().one_in(3))
          continue;
        if (node.any().one_in(2))
          node.kill(one);
        else
          one.peer->vanish();
      }
      node.some_steps();
    }
    auto& last = node.connect(some_client(node));
    expect_all_can_talk(node);
    EXPECT_TRUE(last.stays());
    node.tick(1h);
    expect_all_can_talk(node);
    EXPECT_TRUE(last.stays());
    EXPECT_EQ(node.rooms(), 1);
    node.finish();
  });
}

TEST(room_life, a_room_that_fails_disconnects_its_members_and_a_later_join_finds_a_new_one) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    const auto count = node.any().between(1, 4);
    for (std::size_t i = 0; i < count; ++i)
      node.connect(some_client(node));
    auto elsewhere = some_client(node);
    elsewhere.room = "garden";
    auto& bystander = node.connect(elsewhere);
    node.settle();
    node.broker_of("lobby").throw_at_next_publish("lobby");
    node.publish(node.clients()[node.any().between(0, count - 1)]);
    node.settle();
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(node.clients()[i].peer->close_code, 1011) << "client " << i;
      EXPECT_EQ(node.clients()[i].peer->session, nullptr) << "client " << i;
    }
    EXPECT_EQ(node.members(), 1);
    EXPECT_EQ(node.rooms(), 1);
    auto& later = node.connect(some_client(node));
    expect_all_can_talk(node);
    EXPECT_TRUE(later.stays());
    EXPECT_TRUE(bystander.stays());
    EXPECT_EQ(node.rooms_started(), 3U);
    node.finish();
  });
}

TEST(room_life, a_join_that_meets_a_failing_room_is_disconnected_in_time_or_finds_a_new_one) {
  for_each_seed(seeds / 3, [](std::uint64_t seed) {
    auto options = some_loops(seed);
    options.beats = {};
    sim_node node{options, seed};
    auto& first = node.connect(some_client(node));
    node.settle();
    node.publish(first);
    if (node.any().one_in(2))
      node.broker_of("lobby").throw_at_next_publish("lobby");
    else
      node.broker_of("lobby").throw_at_next_history("lobby");
    node.some_steps();
    for (int i = 0; i < 3; ++i) {
      node.connect(some_client(node));
      node.some_steps();
    }
    node.settle();
    for (auto passed = 0ms; passed <= options.beats.ping_interval + 200ms; passed += 100ms) {
      for (auto& one : node.clients())
        if (one.stays())
          one.peer->session->set_last_heard(node.now());
      node.tick(100ms);
      node.settle();
    }
    expect_all_can_talk(node);
    for (const auto& one : node.clients())
      EXPECT_TRUE(one.stays() || one.peer->reported) << "client " << one.number << " was forgotten";
    node.finish();
  });
}

/// A member without a client, to see what a room says to its members.
class probe final : public actors::pinned, actors::membership_owner {
public:
  struct facts {
    caf::actor room;
    std::vector<std::uint32_t> bytes; ///< of each answer
    std::vector<std::uint64_t> offsets;
  };

  probe(caf::actor_config& config, sim_node& node, std::uint32_t loop, later_queue& later,
        facts& seen)
    : pinned(config), members_(node.members_of(loop)), loop_(loop), seen_(seen) {
    members_.attach(id(),
                    net::session_ptr{new fake_session{0, node.context_of(loop), later, nullptr,
                                                      std::make_shared<fake_peer>()}},
                    this);
  }

  const char* name() const override { return "probe"; }

  void join(const caf::actor& directory) {
    actors::join_room request;
    request.room = "lobby";
    request.ticket = std::make_shared<actors::join_ticket>(caf::actor_cast<caf::actor>(this), 17);
    request.loop = loop_;
    request.format = &net::plain_format();
    send(directory, std::move(request));
  }

  void publish(std::size_t bytes) {
    auto message = std::make_shared<cluster::publication>();
    message->publisher = id();
    message->data.assign(bytes, 'x');
    send(seen_.room, actors::publish{.message = std::move(message),
                                     .subscription = 17,
                                     .request = static_cast<std::uint32_t>(bytes)});
  }

private:
  caf::behavior make_behavior() override {
    return {
      [this](const actors::published& answer) {
        EXPECT_EQ(answer.subscription, 17U);
        EXPECT_EQ(answer.request, answer.bytes);
        seen_.bytes.push_back(answer.bytes);
        seen_.offsets.push_back(answer.outcome.at.offset);
      },
    };
  }

  void on_exit() override { members_.detach(id()); }

  bool on_added(const actors::add_member& request) override {
    EXPECT_EQ(request.subscription, 17U);
    seen_.room = request.handle;
    return true;
  }
  void on_removed(actors::subscription_id) override { ADD_FAILURE(); }
  void on_broken(actors::subscription_id) override { ADD_FAILURE(); }

  actors::fanout& members_;
  std::uint32_t loop_;
  facts& seen_;
};

TEST(room_life, a_room_answers_each_publish_to_its_publisher_in_order) {
  for_each_seed(seeds / 3, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    const auto& directory = node.cast()[actors::home_of("lobby", node.loops())].directory;
    std::array<probe::facts, 2> seen;
    std::array<std::vector<std::uint32_t>, 2> sent;
    std::vector<caf::actor> probes;
    later_queue later;
    for (std::uint32_t i = 0; i < 2; ++i) {
      const auto loop = i % node.loops();
      probes.push_back(actors::spawn_pinned<probe>(node.system(), node.home(loop), std::ref(node),
                                                   loop, std::ref(later), std::ref(seen[i])));
      auto& started = *caf::actor_cast<probe*>(probes.back());
      started.enter([&] { started.join(directory); });
    }
    node.settle();
    for (std::uint32_t bytes = 1; bytes <= 40; ++bytes) {
      const auto which = node.any().between(0, 1);
      auto& publisher = *caf::actor_cast<probe*>(probes[which]);
      publisher.enter([&] { publisher.publish(bytes); });
      sent[which].push_back(bytes);
      node.some_steps();
    }
    node.settle();
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(seen[i].bytes, sent[i]);
      EXPECT_TRUE(std::is_sorted(seen[i].offsets.begin(), seen[i].offsets.end()));
      caf::anon_send_exit(probes[i], caf::exit_reason::user_shutdown);
      seen[i].room = nullptr;
    }
    probes.clear();
    node.settle();
    EXPECT_EQ(node.members(), 0);
    node.finish();
  });
}

TEST(room_life, a_client_whose_history_cannot_be_had_is_disconnected) {
  for_each_seed(seeds / 3, [](std::uint64_t seed) {
    sim_node node{some_loops(seed), seed};
    node.broker_of("lobby").refuse_next_history("lobby");
    auto asked = some_client(node);
    asked.history = 5;
    auto& refused = node.connect(asked);
    node.settle();
    EXPECT_TRUE(refused.peer->reported);
    EXPECT_EQ(refused.peer->session, nullptr);
    EXPECT_EQ(node.members(), 0);
    auto& again = node.connect(asked);
    expect_all_can_talk(node);
    EXPECT_TRUE(again.stays());
    node.finish();
  });
}

TEST(room_life, a_room_whose_only_join_was_refused_is_reaped) {
  sim_node node{some_loops(0), 1};
  node.broker_of("lobby").refuse_next_history("lobby");
  node.connect({"lobby", 0, true, 5});
  node.settle();
  node.tick(1h);
  node.settle();
  EXPECT_EQ(node.rooms(), 0);
  node.finish();
}

} // namespace
} // namespace canang::sim
