// Rooms of slow mode: who may publish when, in which order that is told, and what becomes of turns whose publishes
// are not stored.

#include "tests/support/lines_client.hpp"
#include "tests/support/sim_node.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace canang::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t seeds = 100;
constexpr auto interval = 30s;

std::shared_ptr<const cluster::room_settings_table> slow_rooms() {
  auto table = std::make_shared<cluster::room_settings_table>();
  table->rooms.slow_mode = interval;
  return table;
}

/// Clients of different names in one room of slow mode, or outside of it.
struct slow_room {
  explicit slow_room(std::uint64_t seed, const net::session_limits& limits = limits_without_rates())
    : settings(slow_rooms()), node(options_of(seed, limits), seed) {}

  node_options options_of(std::uint64_t seed, const net::session_limits& limits) const {
    node_options options;
    options.limits = limits;
    options.loops = static_cast<std::uint32_t>(1 + seed % 3);
    options.history.history_ttl = std::chrono::hours{1'000'000};
    options.beats.ping_interval = std::chrono::hours{1'000'000};
    options.settings = &settings;
    return options;
  }

  lines_client& connect(bool joins) {
    auto& added = clients.emplace_back(
      node, static_cast<std::uint32_t>(node.any().between(0, node.loops() - 1)));
    if (joins)
      added.join(room);
    return added;
  }

  lines_client& member() { return connect(true); }
  lines_client& outsider() { return connect(false); }

  /// What it asks for goes to the room, if it is in there, and else past it.
  std::uint32_t publish(lines_client& by) { return by.shout(room, "t" + std::to_string(++said)); }

  std::string publish_now(lines_client& by) {
    const auto request = publish(by);
    settle();
    return by.answer(request);
  }

  void settle() {
    node.settle();
    for (auto& one : clients)
      one.verify();
  }

  void hold() { node.broker_of(room).hold_publishes(room); }

  void end_hold(bool are_lost) {
    node.end_hold(room, are_lost);
    settle();
  }

  void end() {
    settle();
    for (auto& one : clients)
      one.verify_complete();
    if (!testing::Test::HasFailure())
      node.finish();
  }

  const std::string room = "lobby";
  cluster::room_settings_source settings;
  sim_node node;
  std::deque<lines_client> clients;
  int said = 0;
};

TEST(slow_mode, gives_a_member_the_turn_back_whose_publish_was_not_stored) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    slow_room there{seed};
    auto& ann = there.member();
    there.settle();
    there.hold();
    EXPECT_EQ(there.publish_now(ann), "");
    there.end_hold(true);
    EXPECT_EQ(ann.answer(2), "unavailable");
    EXPECT_EQ(there.publish_now(ann), "stored");
    EXPECT_EQ(there.publish_now(ann), "too_soon");
    there.end();
  });
}

TEST(slow_mode, gives_who_publishes_from_outside_the_turn_back_likewise) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    slow_room there{seed};
    auto& ann = there.outsider();
    there.settle();
    there.hold();
    EXPECT_EQ(there.publish_now(ann), "");
    there.end_hold(true);
    EXPECT_EQ(ann.answer(1), "unavailable");
    EXPECT_EQ(there.publish_now(ann), "stored");
    EXPECT_EQ(there.publish_now(ann), "too_soon");
    there.end();
  });
}

TEST(slow_mode, gives_turns_back_that_the_rate_of_the_room_refuses_from_outside) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    net::session_limits limits = limits_without_rates();
    limits.publishing_in_room = {.messages_a_second = 1};
    slow_room there{seed, limits};
    auto& ann = there.outsider();
    there.settle();
    std::string told = "stored";
    for (int i = 0; i < 5 && told == "stored"; ++i)
      told = there.publish_now(there.outsider()); // each of them has a turn of its own
    EXPECT_EQ(told, "unavailable") << "the room is over its rate";
    EXPECT_EQ(there.publish_now(ann), "unavailable");
    there.node.pass(10s);
    EXPECT_EQ(there.publish_now(ann), "stored");
    there.end();
  });
}

TEST(slow_mode, gives_the_turns_of_a_room_back_that_fails) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    slow_room there{seed};
    auto& ann = there.member();
    there.settle();
    there.hold();
    EXPECT_EQ(there.publish_now(ann), "");
    there.node.kill_some_room();
    there.settle();
    EXPECT_EQ(ann.answer(2), "unavailable");
    EXPECT_FALSE(ann.is_in(there.room));
    there.node.broker_of(there.room).end_hold(true);
    ann.join(there.room);
    there.settle();
    EXPECT_EQ(there.publish_now(ann), "stored");
    EXPECT_EQ(there.publish_now(ann), "too_soon");
    there.end();
  });
}

TEST(slow_mode, answers_nothing_that_came_behind_what_is_unanswered) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    slow_room there{seed};
    auto& ann = there.member();
    auto& bob = there.member();
    there.settle();
    there.hold();
    for (int i = 0; i < 3; ++i) {
      there.publish(ann);
      there.publish(bob);
    }
    there.settle();
    for (const auto* one : {&ann, &bob})
      for (std::uint32_t request = 2; request < 5; ++request)
        EXPECT_EQ(one->answer(request), "") << "request " << request;
    there.end_hold(false);
    for (const auto* one : {&ann, &bob}) {
      EXPECT_EQ(one->answer(2), "stored");
      EXPECT_EQ(one->answer(3), "too_soon");
      EXPECT_EQ(one->answer(4), "too_soon");
    }
    EXPECT_EQ(there.publish_now(ann), "too_soon") << "at once, where nothing is unanswered";
    there.end();
  });
}

/// Publishes of who shows what it is told.
struct raw_publisher {
  using answers = std::vector<actors::published>;

  raw_publisher(slow_room& room, const std::string& user)
    : there(room), pace(new actors::publish_pace{user, interval}) {
    actor = there.node.system().spawn(
      [](caf::event_based_actor*, const std::shared_ptr<answers>& into) -> caf::behavior {
        return {[into](const actors::published& answer) { into->push_back(answer); }};
      },
      told);
  }

  void publish(std::uint32_t request) {
    actors::publish what;
    what.message = std::make_shared<cluster::publication>();
    what.message->data = std::to_string(request);
    what.request = request;
    what.pace = pace;
    caf::send_as(actor, there.node.room_called(there.room), std::move(what));
  }

  void end() {
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    there.node.settle();
  }

  /// "REQUEST" of what was stored, "REQUEST!" of what failed, "REQUEST?" of what has to wait.
  [[nodiscard]] std::string what_it_was_told() const {
    std::string text;
    for (const auto& one : *told) {
      text += std::to_string(one.request);
      text += one.wait.count() > 0                              ? "? "
              : one.outcome.error == cluster::broker_errc::none ? " "
                                                                : "! ";
    }
    return text;
  }

  slow_room& there;
  std::shared_ptr<const actors::publish_pace> pace;
  std::shared_ptr<answers> told = std::make_shared<answers>();
  caf::actor actor;
};

TEST(slow_mode, answers_in_the_order_of_the_publishes) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    const bool are_lost = seed % 2 == 0;
    slow_room there{seed};
    there.member(); // so that there is an actor
    there.settle();
    raw_publisher ann{there, "ann"};
    there.hold();
    for (std::uint32_t request = 1; request < 4; ++request)
      ann.publish(request);
    there.settle();
    EXPECT_EQ(ann.what_it_was_told(), "");
    there.end_hold(are_lost);
    EXPECT_EQ(ann.what_it_was_told(), are_lost ? "1! 2? 3? " : "1 2? 3? ");
    ann.publish(4);
    there.settle();
    EXPECT_EQ(ann.what_it_was_told(), are_lost ? "1! 2? 3? 4 " : "1 2? 3? 4? ");
    ann.end();
    there.end();
  });
}

/// What a client is to be told, by what was stored before.
TEST(slow_mode, lets_each_publish_once_an_interval_whatever_becomes_of_publishes) {
  for_each_seed(seeds, [](std::uint64_t seed) {
    slow_room there{seed};
    auto& any = there.node.any();
    const std::size_t members = any.one_in(2) ? 2 : 0; // without members the room has no actor
    for (std::size_t i = 0; i < 4; ++i)
      there.connect(i < members);
    there.node.pass(1s); // the node's time and those of its loops are the same from here on
    there.settle();
    std::vector<sim_node::clock::time_point> may_from(there.clients.size());
    for (int round = 0; round < 30 && !testing::Test::HasFailure(); ++round) {
      const bool is_held = any.one_in(2);
      const bool are_lost = is_held && any.one_in(2);
      if (is_held)
        there.hold();
      std::vector<std::vector<std::uint32_t>> asked(there.clients.size());
      for (std::size_t i = 0; i < there.clients.size(); ++i)
        for (auto count = any.between(0, 3); count > 0; --count) {
          asked[i].push_back(there.publish(there.clients[i]));
          there.node.some_steps();
        }
      there.settle();
      if (is_held)
        there.end_hold(are_lost);
      const auto now = there.node.now();
      for (std::size_t i = 0; i < there.clients.size(); ++i)
        for (const auto request : asked[i]) {
          const auto told = there.clients[i].answer(request);
          if (request != asked[i].front() || now < may_from[i]) {
            EXPECT_EQ(told, "too_soon");
          } else if (are_lost) {
            EXPECT_EQ(told, "unavailable");
          } else {
            EXPECT_EQ(told, "stored");
            may_from[i] = now + interval;
          }
        }
      there.node.pass(std::chrono::seconds{any.between(0, 20)});
      there.settle();
    }
    there.end();
  });
}

} // namespace
} // namespace canang::sim
